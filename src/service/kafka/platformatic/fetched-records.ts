import type { KafkaRecord, RecordsBatch } from '@platformatic/kafka';
import type { IncomingMessage } from '../../../model/kafka.js';
import type { FetchedPartition } from './requests.js';

const TRANSACTIONAL = 16;
const CONTROL = 32;
const ABORT = 0;

type Aborted = NonNullable<FetchedPartition['abortedTransactions']>;

function headersOf(headers: KafkaRecord['headers']): IncomingMessage['headers'] {
  const all: Record<string, Buffer | Buffer[]> = {};
  for (const [name, value] of headers) {
    const key = name?.toString() ?? '';
    const before = all[key];
    const each = value ?? Buffer.alloc(0);
    all[key] = before === undefined ? each : [before, each].flat();
  }
  return all;
}

function isAbort({ attributes, records }: RecordsBatch): boolean {
  return (attributes & CONTROL) !== 0 && records[0]?.key?.readInt16BE(2) === ABORT;
}

/** The batches that readers of what is committed see. Aborted transactions of a producer follow each other. */
function* committed(batches: readonly RecordsBatch[], aborted: Aborted): Generator<RecordsBatch> {
  const begins = [...aborted].sort((a, b) => Number(a.firstOffset - b.firstOffset));
  const open = new Set<bigint>();
  for (const batch of batches) {
    const end = batch.firstOffset + BigInt(batch.lastOffsetDelta);
    for (let next = begins[0]; next !== undefined && next.firstOffset <= end; next = begins[0]) {
      open.add(next.producerId);
      begins.shift();
    }
    if (isAbort(batch)) open.delete(batch.producerId);
    const isAborted = (batch.attributes & TRANSACTIONAL) !== 0 && open.has(batch.producerId);
    if (!isAborted && (batch.attributes & CONTROL) === 0) yield batch;
  }
}

/** What a fetch from offset `from` on has brought: where the next one begins, and the messages. */
export function fetchedRecords(
  { records, abortedTransactions }: FetchedPartition,
  from: number,
): { readonly next: number; readonly messages: readonly IncomingMessage[] } {
  const batches = records ?? [];
  const last = batches.at(-1);
  const messages: IncomingMessage[] = [];
  for (const { firstOffset, firstTimestamp, records: all } of committed(batches, abortedTransactions ?? [])) {
    for (const { offsetDelta, timestampDelta, key, value, headers } of all) {
      const offset = Number(firstOffset) + offsetDelta;
      // A batch comes as a whole, whatever its first record is.
      if (offset < from) continue;
      const timestampMs = Number(firstTimestamp + timestampDelta);
      messages.push({ offset, timestampMs, key, value, headers: headersOf(headers) });
    }
  }
  return { next: last === undefined ? from : Number(last.firstOffset) + last.lastOffsetDelta + 1, messages };
}
