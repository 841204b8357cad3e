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
  /** Of the key `kafka`. */
  readonly path: Path;
  readonly sink: KafkaSink;
}

function sinkAt(path: Path, options: object): readonly Place[] {
  return 'kafka' in options ? [{ path: [...path, 'kafka'], sink: options.kafka as KafkaSink }] : [];
}

function kafkaSinks({ routes }: PipelineDraft): readonly Place[] {
  return routes.flatMap(({ to }, at) =>
    Array.isArray(to)
      ? (to as readonly SinkOptions[]).flatMap((sink, index) => sinkAt(['routes', at, 'to', index], sink))
      : sinkAt(['routes', at, 'to'], to),
  );
}

function mirrors({ routes }: PipelineDraft): readonly Place[] {
  return routes.flatMap(({ mirror }, at) =>
    mirror === undefined ? [] : sinkAt(['routes', at, 'mirror', 'to'], mirror.to),
  );
}

/** What speaks against a transaction of what this source reads. */
function contradiction({ source }: PipelineDraft, { brokers, client }: KafkaSink): string | undefined {
  if ('stdin' in source) return 'what stdin has read cannot be read again after a transaction that failed';
  if ('kafka' in source && !source.kafka.brokers.some((broker) => brokers.includes(broker))) {
    return 'a transaction is of one cluster, but this sink and the source have no broker in common';
  }
  if (client !== 'kafkajs') return 'transactions need client: kafkajs';
  if ('kafka' in source && source.kafka.client !== 'kafkajs') {
    return 'transactions need client: kafkajs, of the source as well';
  }
  return undefined;
}

/** Why nobody would look at the state topic; undefined if somebody does. */
function uselessState({ source }: PipelineDraft, { transactional, topic, stateTopic }: KafkaSink): string | undefined {
  if (stateTopic === undefined) return undefined;
  if (stateTopic === topic) return 'expected a topic of its own: events and the state of a pipeline do not go together';
  if (!transactional) return 'expected transactional: true beside it; without, the state is in the checkpoint file';
  if ('kafka' in source)
    return 'expected no stateTopic: from Kafka the offsets of the consumer group are the positions';
  return undefined;
}

/** Finds transactional sinks that cannot keep what they promise. */
export function findTransactionFaults({ root, draft }: CheckedDocument, faults: Faults): void {
  if (draft === undefined) return;
  const add = ({ path }: Place, key: string, message: string): void => {
    const all = [...path, key];
    faults.add(placeOf(root, all).offset, all, message);
  };
  const sinks = kafkaSinks(draft);
  const [first, ...others] = sinks.filter(({ sink }) => sink.transactional);
  for (const place of others) {
    const why = 'another one would have transactions of its own';
    add(place, 'transactional', `expected one transactional sink in a pipeline: ${why}`);
  }
  const against = first === undefined ? undefined : contradiction(draft, first.sink);
  if (first !== undefined && against !== undefined) add(first, 'transactional', `expected false: ${against}`);
  const aside = [
    ...mirrors(draft).map((place) => ({ place, why: 'no transaction waits for a mirror' })),
    ...sinkAt(['deadLetter'], draft.deadLetter ?? {}).map((place) => ({
      place,
      why: 'dead letters are delivered before the transaction that waits for them',
    })),
  ];
  for (const { place, why } of aside) {
    if (place.sink.transactional) add(place, 'transactional', `expected false: ${why}`);
  }
  for (const place of [...sinks, ...aside.map((each) => each.place)]) {
    const useless = uselessState(draft, place.sink);
    if (useless !== undefined) add(place, 'stateTopic', useless);
  }
}
