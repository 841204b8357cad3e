import { defer, reduce } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import type { IncomingMessage } from '../../model/kafka.js';

type Latest = Map<string, IncomingMessage>;
type Header = IncomingMessage['headers'][string];

function copyOfHeader(header: Header): Header {
  return header instanceof Uint8Array ? Buffer.from(header) : header;
}

/** A record as it was read holds on to everything that came in one fetch. */
function copyOf({ offset, timestampMs, value, headers }: IncomingMessage): IncomingMessage {
  const copies = Object.entries(headers).map(([name, header]) => [name, copyOfHeader(header)] as const);
  return {
    offset,
    timestampMs,
    key: null,
    value: value && Buffer.from(value),
    headers: Object.fromEntries(copies),
  };
}

/**
 * What a compacted topic has of a pipeline: of each key the latest record, by key; those that were deleted are not there.
 * Compaction may be far behind: nothing older is kept, and nothing of other pipelines.
 */
export function latestRecords(
  pipeline: string,
): OperatorFunction<IncomingMessage, ReadonlyMap<string, IncomingMessage>> {
  const ours = `[${JSON.stringify(pipeline)},`;
  const take = (latest: Latest, message: IncomingMessage): Latest => {
    const key = Buffer.from(message.key ?? []).toString();
    if (!key.startsWith(ours)) return latest;
    if (message.value === null) latest.delete(key);
    else latest.set(key, copyOf(message));
    return latest;
  };
  return (records) => defer(() => records.pipe(reduce(take, new Map<string, IncomingMessage>())));
}
