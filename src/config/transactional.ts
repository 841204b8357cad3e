import type { Faults, Path } from './fault.js';
import { placeOf } from './located.js';
import type { Located } from './located.js';
import type { PipelineDraft, SinkOptions } from './schema.js';

/** A document that is valid by itself. */
export interface CheckedDocument {
  readonly root: Located;
  readonly draft: PipelineDraft | undefined;
}

type KafkaSink = Extract<SinkOptions, { kafka: unknown }>['kafka'];

interface Place {
  readonly path: Path;
  readonly sink: KafkaSink;
}

function transactionalSinks({ routes }: PipelineDraft): readonly Place[] {
  return routes.flatMap(({ to }, at) => {
    const isList = Array.isArray(to);
    const sinks: readonly SinkOptions[] = isList ? (to as readonly SinkOptions[]) : [to as SinkOptions];
    return sinks.flatMap((sink, index): Place[] => {
      if (!('kafka' in sink) || !sink.kafka.transactional) return [];
      const path = ['routes', at, 'to', ...(isList ? [index] : []), 'kafka', 'transactional'];
      return [{ path, sink: sink.kafka }];
    });
  });
}

/** What speaks against a transaction of what this source reads. */
function contradiction({ source }: PipelineDraft, { brokers }: KafkaSink): string | undefined {
  if ('stdin' in source) return 'what stdin has read cannot be read again after a transaction that failed';
  if ('kafka' in source && !source.kafka.brokers.some((broker) => brokers.includes(broker))) {
    return 'a transaction is of one cluster, but this sink and the source have no broker in common';
  }
  return undefined;
}

/** Finds transactional sinks that cannot keep what they promise. */
export function findTransactionFaults({ root, draft }: CheckedDocument, faults: Faults): void {
  if (draft === undefined) return;
  const add = (path: Path, message: string): void => faults.add(placeOf(root, path).offset, path, message);
  const [first, ...others] = transactionalSinks(draft);
  for (const { path } of others) {
    add(path, 'expected one transactional sink in a pipeline: another one would have transactions of its own');
  }
  const against = first === undefined ? undefined : contradiction(draft, first.sink);
  if (first !== undefined && against !== undefined) add(first.path, `expected false: ${against}`);
  const { deadLetter } = draft;
  if (deadLetter !== undefined && 'kafka' in deadLetter && deadLetter.kafka.transactional) {
    add(
      ['deadLetter', 'kafka', 'transactional'],
      'expected false: dead letters are delivered before the transaction that waits for them',
    );
  }
}
