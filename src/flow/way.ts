import type { OperatorFunction } from 'rxjs';
import type { LogEvent } from '../model/event.js';
import { fused, isStage } from '../operators/stage.js';
import type { Step } from '../operators/stage.js';
import { counted } from './counted.js';

/** An operator on events: one of ours, or any other. */
export type EventOperator = OperatorFunction<LogEvent, LogEvent>;

/** A chain of operators, put together for speed: stages that follow each other are one. */
export interface Way {
  /** The stages that the chain begins with. */
  readonly first: Step;
  /** The others. */
  readonly rest: EventOperator;
}

function inSequence(operators: readonly EventOperator[]): EventOperator {
  return (source) => operators.reduce((events, operator) => operator(events), source);
}

/** Operators that do not count what they drop are counted for. */
export function wayOf(operators: readonly EventOperator[]): Way {
  const steps: Step[] = [];
  for (const operator of operators) {
    if (!isStage(operator)) break;
    steps.push(operator.step);
  }
  const rest = operators.slice(steps.length).map((operator) => (isStage(operator) ? operator : counted(operator)));
  return { first: fused(steps), rest: inSequence(rest) };
}
