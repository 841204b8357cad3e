import { createRequire } from 'node:module';

/** A message as kafkajs reads it from the log. */
export interface RawMessage {
  readonly offset: string;
  /** Not for people: kafkajs does not hand it out, and goes on after it. */
  isControlRecord: boolean;
  readonly key: Uint8Array | null;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

/** A transaction that was aborted, and the first of its messages in what was fetched or before. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

/** The second half of a control record's key: what it says of the transaction. */
const TYPE_AT = 2;
const ABORT = 0;

function isAbort({ isControlRecord, key }: RawMessage): boolean {
  if (!isControlRecord || key === null) return false;
  return Buffer.from(key).readInt16BE(TYPE_AT) === ABORT;
}

/** Marks messages of aborted transactions as control records: nobody gets them, and what comes after them is read. */
export function hideAborted(messages: readonly RawMessage[], aborted: readonly AbortedTransaction[]): void {
  const coming = aborted
    .map(({ producerId, firstOffset }) => ({ producerId, first: Number(firstOffset) }))
    .sort((a, b) => a.first - b.first);
  const open = new Set<string>();
  let at = 0;
  for (const message of messages) {
    const { producerId, inTransaction } = message.batchContext;
    for (; at < coming.length && (coming[at]?.first ?? 0) <= Number(message.offset); at++) {
      open.add(coming[at]?.producerId ?? '');
    }
    if (isAbort(message)) open.delete(producerId);
    else if (inTransaction && open.has(producerId)) message.isControlRecord = true;
  }
}

interface FetchedPartition {
  readonly messages: readonly RawMessage[];
  abortedTransactions: readonly AbortedTransaction[] | null;
}

interface FetchResponse {
  readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[];
}

/** Those that know transactions. */
const FETCH_VERSIONS = [4, 5, 6, 7, 8, 9, 10, 11];

/**
 * kafkajs' own filter takes notice of one aborted transaction a message, so where several had begun before the first
 * message of a fetch it lets messages through that were never committed; and it takes a message with a key of four
 * zero bytes for a marker. This is done before it, and leaves it nothing to do.
 */
export function filterAbortedRightly(): void {
  const load = createRequire(import.meta.url);
  const decoders = new Set<(raw: unknown) => Promise<FetchResponse>>();
  for (const version of FETCH_VERSIONS) {
    const response = load(`kafkajs/src/protocol/requests/fetch/v${version}/response`) as {
      decode: (raw: unknown) => Promise<FetchResponse>;
    };
    const { decode } = response;
    // Some versions share one.
    if (decoders.has(decode)) continue;
    response.decode = async (raw) => {
      const decoded = await decode(raw);
      for (const partition of decoded.responses.flatMap(({ partitions }) => partitions)) {
        hideAborted(partition.messages, partition.abortedTransactions ?? []);
        partition.abortedTransactions = [];
      }
      return decoded;
    };
    decoders.add(response.decode);
  }
}
