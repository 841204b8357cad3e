import { filter, map } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import type { LogEvent } from '../model/event.js';

/** What a stage does with one event: gives what goes on, or undefined after it has reported why nothing does. */
export type Step = (event: LogEvent) => LogEvent | undefined;

/**
 * What a stage knows about levels. With it a pipeline can tell of a line that it will be filtered before it is taken
 * apart; every hint is exact, so the outcome is the same.
 */
export interface LevelHints {
  /**
   * The severity of the event that the text between `from` and `to` becomes; undefined if it has none, or if that takes
   * the whole stage to tell.
   */
  readonly severityOf?: (text: string, from: number, to: number) => number | undefined;
  /** An event goes on with a level of the same severity, or is filtered. */
  readonly keepsLevel?: true;
  /** Whether events of a severity go on, if nothing but the severity decides. */
  readonly admits?: (severity: number) => boolean;
}

/**
 * An operator on events that reports what it drops to the event's origin, so nobody has to count after it. Its step is
 * the same as a function: a pipeline runs stages that follow each other as one operator.
 */
export type Stage = OperatorFunction<LogEvent, LogEvent> & { readonly step: Step; readonly hints: LevelHints };

/** True for an operator that reports what it drops itself. */
export function isStage(operator: OperatorFunction<LogEvent, LogEvent>): operator is Stage {
  return 'step' in operator;
}

/** A stage that turns an event into another, or into nothing after it has reported why. */
export function stage(step: Step, hints: LevelHints = {}): Stage {
  const operator: OperatorFunction<LogEvent, LogEvent> = (source) =>
    source.pipe(
      map(step),
      filter((event) => event !== undefined),
    );
  return Object.assign(operator, { step, hints });
}

/** A stage that keeps the events its test says true for, and reports the others as filtered. */
export function keeping(test: (event: LogEvent) => boolean, hints?: LevelHints): Stage {
  return stage((event) => {
    if (test(event)) return event;
    event.origin.outcome.filtered();
    return undefined;
  }, hints);
}

/** Several steps as one. */
export function fused(steps: readonly Step[]): Step {
  return (event) => {
    let next: LogEvent | undefined = event;
    for (let at = 0; next !== undefined && at < steps.length; at++) next = steps[at]?.(next);
    return next;
  };
}
