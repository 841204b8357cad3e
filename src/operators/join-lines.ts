import { asyncScheduler, Observable } from 'rxjs';
import type { MonoTypeOperatorFunction, SchedulerLike, Subscription } from 'rxjs';
import { MillraceError } from '../model/errors.js';
import { atLeast } from './at-least.js';
import { listen } from './listen.js';

/** Which lines belong together, and when what was collected goes out all the same. One pattern is enough. */
export interface JoinLinesConfig {
  /** A line that begins something new; any other belongs to the lines before it. */
  readonly start?: RegExp;
  /** A line that belongs to the lines before it. */
  readonly continuation?: RegExp;
  /** What was collected goes out when so long no line came. Default 1000. */
  readonly idleMs?: number;
  /** What was collected goes out when it has so many lines; the next line begins anew. Default 500. */
  readonly maxLines?: number;
  /** What was collected goes out before it would have more characters. Default 65 536. */
  readonly maxChars?: number;
  /** The patterns see no more of a line than this. Default 1024. */
  readonly maxInputChars?: number;
  /** Put between the lines. Default a line feed. */
  readonly separator?: string;
}

/** Whether a line belongs to what came before. */
function belongs({ start, continuation, maxInputChars = 1024 }: JoinLinesConfig): (line: string) => boolean {
  if (start === undefined && continuation === undefined) {
    throw new MillraceError('MILLRACE_E_OPERATOR_OPTION', 'start or continuation is needed');
  }
  // A pattern with `g` or `y` remembers where it stopped: the next line would be tried from there.
  const [first, next] = [start, continuation].map((each) =>
    each === undefined ? undefined : new RegExp(each.source, each.flags.replace(/[gy]/g, '')),
  );
  return (line) => {
    const head = line.length > maxInputChars ? line.slice(0, maxInputChars) : line;
    if (next?.test(head) === true) return true;
    return first !== undefined && !first.test(head) && next === undefined;
  };
}

/**
 * Puts lines together that belong together: a stack trace with the line that it follows.
 *
 * - on error and on complete: what was collected comes out first.
 * - on unsubscribe: the timer is cancelled; what was collected is dropped.
 * - loses no line: what is too long, or waits too long for its next line, goes out in parts, in order.
 * - with both patterns, a line that `continuation` matches belongs to those before it, and `start` is not looked at.
 * - never emits a line twice, or anything where there was no line.
 * - memory: `maxChars` characters (a single longer line is not cut) in `maxLines` lines.
 *
 * ```marbles
 * source  a-.-.-b----.|
 * > joinLines({ continuation: /^\./, idleMs: 4, separator: '' })
 * output  ------x---y-(z|)
 * where   x: 'a..', y: 'b', z: '.'
 * ```
 *
 * @example
 * ```ts
 * of('Error: boom', '    at run (a.js:1)', '    at main (a.js:9)', 'INFO all is well')
 *   .pipe(joinLines({ continuation: /^\s+at / }))
 *   .subscribe((text) => console.log([text]));
 * // → [ 'Error: boom\n    at run (a.js:1)\n    at main (a.js:9)' ]
 * // → [ 'INFO all is well' ]
 * ```
 */
export function joinLines(
  config: JoinLinesConfig,
  scheduler: SchedulerLike = asyncScheduler,
): MonoTypeOperatorFunction<string> {
  const { idleMs = 1000, maxLines = 500, maxChars = 65_536, separator = '\n' } = config;
  const isContinuation = belongs(config);
  atLeast(0, { idleMs });
  atLeast(1, { maxLines, maxChars });
  return (source) =>
    new Observable((subscriber) => {
      let lines: string[] = [];
      let chars = 0;
      let lastAt = 0;
      let armed: Subscription | undefined;

      const take = (): string => {
        const text = lines.length === 1 ? (lines[0] ?? '') : lines.join(separator);
        lines = [];
        chars = 0;
        return text;
      };
      const flush = (): void => {
        if (lines.length > 0) subscriber.next(take());
      };
      // Armed anew only when it fires: a timer for each line would cost more than the lines.
      const arm = (waitMs: number): void => {
        armed ??= scheduler.schedule(() => {
          armed = undefined;
          const leftMs = lastAt + idleMs - scheduler.now();
          if (lines.length > 0 && leftMs > 0) arm(leftMs);
          else flush();
        }, waitMs);
      };
      const add = (line: string): void => {
        const isFull = lines.length >= maxLines || chars + separator.length + line.length > maxChars;
        const before = lines.length > 0 && (isFull || !isContinuation(line)) ? take() : undefined;
        lines.push(line);
        chars += line.length + (lines.length > 1 ? separator.length : 0);
        lastAt = scheduler.now();
        arm(idleMs);
        // Only now: the consumer may push the next line while it holds these.
        if (before !== undefined) subscriber.next(before);
      };

      subscriber.add(() => armed?.unsubscribe());
      listen(source, subscriber, {
        next: add,
        error: (error) => {
          flush();
          subscriber.error(error);
        },
        complete: () => {
          flush();
          subscriber.complete();
        },
      });
    });
}
