import { pipe, retry, Subject, tap } from 'rxjs';
import type { Observable, OperatorFunction } from 'rxjs';
import { LogEvent } from '../model/event.js';
import type { Origin } from '../model/event.js';
import { keep } from '../operators/keep.js';
import type { StageOptions } from '../operators/options.js';
import { neutralise, prettyLine } from '../sinks/console/pretty.js';
import { stageOf } from './stage-of.js';

/** What a live view shows, and how. */
export interface ViewOptions {
  readonly colours: boolean;
  /** Only these levels. */
  readonly levels?: readonly string[] | undefined;
  /** Only lines that this finds something in. */
  readonly grep?: RegExp | undefined;
}

/** What became of a line: an event, dropped by its level, or not understood. */
type Reading = LogEvent | 'dropped' | 'unread';

/**
 * Makes the lines of one file readable: a function from a line to what is shown of it, undefined for nothing. A line that
 * cannot be parsed is shown as it is, if the one before it was shown (a stack trace goes with its head) or if it can be
 * judged without a level. Blank lines are not shown.
 */
export function lineView(
  path: string,
  stages: readonly StageOptions[],
  options: ViewOptions,
): (line: string) => string | undefined {
  const { levels, grep, colours } = options;
  const read = lineReader(path, stages, levels);
  let isShowing = false;
  return (line) => {
    if (line.trim() === '') return undefined;
    const reading = read(line);
    const isWanted = grep?.test(line) !== false;
    if (reading === 'unread') return isShowing || (isWanted && levels === undefined) ? neutralise(line) : undefined;
    isShowing = reading !== 'dropped' && isWanted;
    return reading === 'dropped' || !isWanted ? undefined : prettyLine(reading, { colours });
  };
}

/** The stages are synchronous: when a line is in, its event, or what else became of it, is out. */
function lineReader(
  path: string,
  stages: readonly StageOptions[],
  levels: readonly string[] | undefined,
): (line: string) => Reading {
  let reading: Reading = 'dropped';
  const origin: Origin = {
    incarnation: path,
    fields: { 'log.file.path': path },
    outcome: {
      filtered: () => (reading = 'dropped'),
      rejected: () => (reading = 'unread'),
      expanded: () => undefined,
    },
  };
  const lines = new Subject<LogEvent>();
  const level: OperatorFunction<LogEvent, LogEvent> = levels === undefined ? pipe() : keep({ level: levels });
  through(lines, stages)
    .pipe(
      level,
      // A stage that throws has not understood the line; it gets the next one in a fresh state.
      tap({ error: () => (reading = 'unread') }),
      retry(),
    )
    // eslint-disable-next-line rxjs-x/no-ignored-error
    .subscribe((event) => (reading = event));
  return (line) => {
    reading = 'dropped';
    lines.next(LogEvent.of(origin, { offset: 0, text: line }));
    return reading;
  };
}

function through(events: Observable<LogEvent>, stages: readonly StageOptions[]): Observable<LogEvent> {
  return stages.reduce((source, stage) => source.pipe(stageOf(stage)), events);
}
