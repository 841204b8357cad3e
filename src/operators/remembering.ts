import { defer } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import type { LogEvent } from '../model/event.js';
import type { Json } from '../model/json.js';
import { keeping } from './stage.js';

/** What a stage decides by. It belongs to one pipeline, or to one subscription. */
export interface Judge {
  /** Whether the event goes on. Asked once for each event, also if the event comes again after a crash. */
  admits(event: LogEvent): boolean;
  capture(): Json;
}

/** A stage whose answers depend on what came before. */
export interface Remembering {
  /** Tells it from others in a checkpoint: a stage that is configured to decide by something else begins anew. */
  readonly name: string;
  /** A judge that goes on from what one before it captured, or begins. */
  begin(saved: Json | undefined): Judge;
}

/** An operator that remembers. A pipeline gives it a memory that outlives batches and processes. */
export type RememberingStage = OperatorFunction<LogEvent, LogEvent> & { readonly remembering: Remembering };

/** True for a stage that a pipeline must give a memory. */
export function isRemembering(operator: OperatorFunction<LogEvent, LogEvent>): operator is RememberingStage {
  return 'remembering' in operator;
}

/**
 * Takes out what was put in first while there is more than `maxSize`, and then a little more: what a map has lost at its
 * front is passed over each time the front is looked for.
 */
export function forgetOldest(map: Map<string, unknown>, maxSize: number): void {
  if (map.size <= maxSize) return;
  const size = maxSize - Math.floor(maxSize / 64);
  for (const oldest of map.keys()) {
    if (map.size <= size) return;
    map.delete(oldest);
  }
}

/** Outside of a pipeline nobody tells what will not come again. */
const MAX_ANSWERS_ALONE = 10_000;

/**
 * A stage that filters by what it remembers. The same `event.id` gets the same answer: in a pipeline for as long as it
 * can come again, elsewhere as long as it is among the newest 10 000.
 */
export function rememberingStage(remembering: Remembering): RememberingStage {
  const operator: OperatorFunction<LogEvent, LogEvent> = (source) =>
    defer(() => {
      const judge = remembering.begin(undefined);
      const answers = new Map<string, boolean>();
      const admits = (event: LogEvent): boolean => {
        const { id } = event;
        const given = answers.get(id);
        if (given !== undefined) return given;
        const answer = judge.admits(event);
        answers.set(id, answer);
        forgetOldest(answers, MAX_ANSWERS_ALONE);
        return answer;
      };
      return source.pipe(keeping(admits));
    });
  return Object.assign(operator, { remembering });
}
