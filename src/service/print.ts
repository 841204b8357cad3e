import { Observable } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import type { WriteText } from '../sinks/console/write-to.js';

/**
 * Writes lines as they come, one write at a time; what comes meanwhile is the next write. For views of sources that cannot
 * wait: beyond `maxPendingLines` lines are left out, and how many is told in their place.
 *
 * - on error: an error of the source comes after what is pending; an error of the output at once.
 * - on complete: when everything is written. On unsubscribe: what is pending is forgotten. Never emits.
 */
export function print(write: WriteText, maxPendingLines = 10_000): OperatorFunction<string, never> {
  return (lines) =>
    new Observable<never>((subscriber) => {
      let pending: string[] = [];
      let skipped = 0;
      let isWriting = false;
      let end: (() => void) | undefined;
      const flush = (): void => {
        if (isWriting) return;
        if (pending.length === 0) {
          end?.();
          return;
        }
        const note = skipped > 0 ? `… ${skipped} lines left out: they came faster than they could be shown\n` : '';
        const text = `${pending.join('\n')}\n${note}`;
        pending = [];
        skipped = 0;
        isWriting = true;
        subscriber.add(
          write(text).subscribe({
            error: (error: unknown) => subscriber.error(error),
            complete: () => {
              isWriting = false;
              flush();
            },
          }),
        );
      };
      const finish = (last: () => void): void => {
        end = last;
        flush();
      };
      subscriber.add(
        lines.subscribe({
          next: (line) => {
            if (pending.length < maxPendingLines) pending.push(line);
            else skipped++;
            flush();
          },
          error: (error: unknown) => finish(() => subscriber.error(error)),
          complete: () => finish(() => subscriber.complete()),
        }),
      );
    });
}
