import { filter, map } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import type { LogEvent } from '../model/event.js';

/** What a stage does with one event: gives what goes on, or undefined after it has reported why nothing does. */
export type Step = (event: LogEvent) => LogEvent | undefined;

/**
 * An operator on events that reports what it drops to the event's origin, so nobody has to count after it. Its step is
 * the same as a function: a pipeline runs stages that follow each other as one operator.
 */
export type Stage = OperatorFunction<LogEvent, LogEvent> & { readonly step: Step };

/** True for an operator that reports what it drops itself. */
export function isStage(operator: OperatorFunction<LogEvent, LogEvent>): operator is Stage {
  return 'step' in operator;
}

/** A stage that turns an event into another, or into nothing after it has reported why. */
export function stage(step: Step): Stage {
  const operator: OperatorFunction<LogEvent, LogEvent> = (source) =>
    source.pipe(
      map(step),
      filter((event) => event !== undefined),
    );
  return Object.assign(operator, { step });
}

/** A stage that keeps the events its test says true for, and reports the others as filtered. */
export function keeping(test: (event: LogEvent) => boolean): Stage {
  return stage((event) => {
    if (test(event)) return event;
    event.origin.outcome.filtered(event);
    return undefined;
  });
}

/** Several steps as one. */
export function fused(steps: readonly Step[]): Step {
  return (event) => {
    let next: LogEvent | undefined = event;
    for (let at = 0; next !== undefined && at < steps.length; at++) next = steps[at]?.(next);
    return next;
  };
}
