import { randomBytes } from 'node:crypto';
import { from, NEVER, of, takeUntil } from 'rxjs';
import type { Batch } from '../../model/batch.js';
import type { Source, SourceContext } from '../../model/source.js';
import { steps, wait } from '../../operators/steps.js';
import type { Routine } from '../../operators/steps.js';
import { countOf, LineSplitter, MAX_LINES, noLines, RECORD_BYTES } from '../lines.js';
import type { Lines } from '../lines.js';
import type { StdinOptions } from './options.js';

/**
 * Reads lines from a stream of bytes until it ends. One lane; what was read cannot be read again, so after a crash the
 * lines that had not settled are gone. When demand is shut nothing is taken, and the writer waits.
 */
export function stdinSource(
  options: StdinOptions,
  input: AsyncIterable<Uint8Array>,
  mint: () => string = () => randomBytes(8).toString('hex'),
): Source {
  return {
    open: (context) => {
      const id = mint();
      return of({
        id,
        position: 0,
        unreadFrom: 0,
        state: null,
        fields: options.fields,
        revoked: NEVER,
        batches: steps<Batch>((emit) => read(id, options, input, context, emit)).pipe(takeUntil(context.stop)),
      });
    },
  };
}

function* read(
  id: string,
  options: StdinOptions,
  input: AsyncIterable<Uint8Array>,
  { demand, forget, filterFor }: SourceContext,
  emit: (batch: Batch) => void,
): Routine {
  const splitter = new LineSplitter(options, 0, filterFor?.(options.fields));
  const blocks = input[Symbol.asyncIterator]();
  const emitLines = function* (lines: Lines, bytes: number): Routine {
    if (countOf(lines) === 0) return;
    const cost = bytes + lines.records.length * RECORD_BYTES;
    yield* wait(demand.reserve(id, cost));
    emit({ ...lines, position: splitter.position, bytes: cost, state: null });
  };
  for (;;) {
    const next = yield* wait<IteratorResult<Uint8Array>>(from(blocks.next()));
    if (next.done === true) break;
    const block = Buffer.from(next.value);
    for (let at = 0; at < block.length;) {
      const lines = noLines();
      const held = splitter.heldBytes;
      const used = splitter.push(block.subarray(at), lines, MAX_LINES);
      at += used;
      yield* emitLines(lines, used + held);
    }
  }
  const rest = noLines();
  const held = splitter.heldBytes;
  splitter.flush(rest);
  yield* emitLines(rest, held);
  // Nobody can go on reading this stream after a restart.
  forget(id);
}
