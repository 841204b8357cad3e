import { concatMap, defer, EMPTY, from, map, range, takeUntil } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Batch, Lane } from '../model/batch.js';
import type { Source, SourceContext } from '../model/source.js';
import type { FakeFiles } from './fake-files.js';
import { batchOf, laneOf } from './lane-of.js';

/** What a fake source reads. */
export interface FakeSourceConfig {
  /** By lane id: its records. The position of a lane is the number of records before it. */
  readonly lanes: Readonly<Record<string, readonly string[]>>;
  /** Records in a batch. Default 3. */
  readonly batchSize?: number;
}

/**
 * A source that reads these records and ends. It goes on where the checkpoint says, waits for demand before each batch,
 * and stops when it is told to. Each batch is a call of the process, so that it can die there.
 */
export function fakeSource(files: FakeFiles, { lanes, batchSize = 3 }: FakeSourceConfig): Source {
  const read = (id: string, texts: readonly string[], begin: number, context: SourceContext): Observable<Batch> => {
    const part = texts.slice(begin, begin + batchSize);
    const bytes = part.reduce((sum, text) => sum + text.length, 0);
    return context.demand
      .reserve(id, bytes)
      .pipe(concatMap(() => files.call(`read ${id}`, () => batchOf(part, begin, bytes))));
  };
  const open = (id: string, texts: readonly string[], context: SourceContext): Lane => {
    const position = context.saved.get(id)?.position ?? 0;
    const batches = range(0, Math.ceil((texts.length - position) / batchSize)).pipe(
      concatMap((n) => read(id, texts, position + n * batchSize, context)),
      takeUntil(context.stop),
    );
    return laneOf(id, position < texts.length ? batches : EMPTY, { position });
  };
  return {
    open: (context) => defer(() => from(Object.entries(lanes))).pipe(map(([id, texts]) => open(id, texts, context))),
  };
}
