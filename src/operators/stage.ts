import { defer, filter, map } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import type { LogEvent } from '../model/event.js';

/** An operator on events that reports what it drops to the event's origin, so nobody has to count after it. */
export type Stage = OperatorFunction<LogEvent, LogEvent> & { readonly countsItself: true };

/** True for an operator that reports what it drops itself. */
export function isStage(operator: OperatorFunction<LogEvent, LogEvent>): operator is Stage {
  return 'countsItself' in operator;
}

function asStage(operator: OperatorFunction<LogEvent, LogEvent>): Stage {
  return Object.assign(operator, { countsItself: true as const });
}

/** A stage that changes every event. `start` makes the function anew for each subscription: its state lives there. */
export function changing(start: () => (event: LogEvent) => LogEvent): Stage {
  return asStage((source) => defer(() => source.pipe(map(start()))));
}

/** A stage that keeps the events its test says true for, and reports the others as filtered. */
export function keeping(start: () => (event: LogEvent) => boolean): Stage {
  return asStage((source) =>
    defer(() => {
      const test = start();
      return source.pipe(
        filter((event) => {
          if (test(event)) return true;
          event.origin.outcome.filtered(event);
          return false;
        }),
      );
    }),
  );
}

/** A stage that turns an event into another, or into nothing after it has reported why. */
export function converting(start: () => (event: LogEvent) => LogEvent | undefined): Stage {
  return asStage((source) =>
    defer(() =>
      source.pipe(
        map(start()),
        filter((event) => event !== undefined),
      ),
    ),
  );
}
