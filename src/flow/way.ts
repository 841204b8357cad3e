import type { OperatorFunction } from 'rxjs';
import type { Origin } from '../model/event.js';
import type { LogEvent } from '../model/event.js';
import { severityOf } from '../model/severity.js';
import { fused, isStage } from '../operators/stage.js';
import type { Stage, Step } from '../operators/stage.js';
import { counted } from './counted.js';

/** An operator on events: one of ours, or any other. */
export type EventOperator = OperatorFunction<LogEvent, LogEvent>;

/** A chain of operators, put together for speed: stages that follow each other are one. */
export interface Way {
  /** True if it is certain that the event of this text will be filtered; nothing has to be made of it then. */
  readonly isFiltered: ((text: string) => boolean) | undefined;
  /** The stages that the chain begins with. */
  readonly first: Step;
  /** The others. */
  readonly rest: EventOperator;
}

function inSequence(operators: readonly EventOperator[]): EventOperator {
  return (source) => operators.reduce((events, operator) => operator(events), source);
}

/** parse, then any number of stages that keep the level, then one that goes by the level alone. */
function filterAhead([parse, ...others]: readonly Stage[]): ((text: string) => boolean) | undefined {
  const levelOf = parse?.hints.levelOf;
  const admits = others.find(({ hints }) => hints.keepsLevel === undefined)?.hints.admits;
  if (levelOf === undefined || admits === undefined) return undefined;
  return (text) => {
    const level = levelOf(text);
    const severity = level === undefined ? undefined : severityOf(level);
    return severity !== undefined && !admits(severity);
  };
}

/** Operators that do not count what they drop are counted for. */
export function wayOf(operators: readonly EventOperator[]): Way {
  const stages: Stage[] = [];
  for (const operator of operators) {
    if (!isStage(operator)) break;
    stages.push(operator);
  }
  const rest = operators.slice(stages.length).map((operator) => (isStage(operator) ? operator : counted(operator)));
  return { isFiltered: filterAhead(stages), first: fused(stages.map(({ step }) => step)), rest: inSequence(rest) };
}

/** Whether the fields of an origin say a severity themselves: then a line's own level need not decide. */
export function hasOwnSeverity({ fields }: Origin): boolean {
  return 'event.severity' in fields || 'log.level' in fields;
}
