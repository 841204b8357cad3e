import type { OperatorFunction } from 'rxjs';
import type { LogEvent } from '../model/event.js';
import type { RecordFilter } from '../model/source.js';
import { fused, isStage } from '../operators/stage.js';
import type { Stage, Step } from '../operators/stage.js';
import { counted } from './counted.js';

/** The highest of OpenTelemetry's severity numbers. */
const MOST_SEVERE = 24;

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

function leadingStages(operators: readonly EventOperator[]): Stage[] {
  const stages: Stage[] = [];
  for (const operator of operators) {
    if (!isStage(operator)) break;
    stages.push(operator);
  }
  return stages;
}

/** Operators that do not count what they drop are counted for. */
export function wayOf(operators: readonly EventOperator[]): Way {
  const stages = leadingStages(operators);
  const rest = operators.slice(stages.length).map((operator) => (isStage(operator) ? operator : counted(operator)));
  return { first: fused(stages.map(({ step }) => step)), rest: inSequence(rest) };
}

/**
 * What a source can know ahead of the operators: parse, then any number of stages that keep the level, then one that goes
 * by the level alone.
 */
export function filterAhead(
  operators: readonly EventOperator[],
  laneFields: Readonly<Record<string, unknown>>,
): RecordFilter | undefined {
  // The lane says a severity itself: then a line's own level need not decide.
  if ('event.severity' in laneFields || 'log.level' in laneFields) return undefined;
  const [parse, ...others] = leadingStages(operators);
  const severityOf = parse?.hints.severityOf;
  const admits = others.find(({ hints }) => hints.keepsLevel === undefined)?.hints.admits;
  if (severityOf === undefined || admits === undefined) return undefined;
  // Asked once for each severity, not once for each line.
  const isAdmitted = Array.from({ length: MOST_SEVERE + 1 }, (_, severity) => admits(severity));
  return (text, from, to) => {
    const severity = severityOf(text, from, to);
    return severity !== undefined && isAdmitted[severity] === false;
  };
}
