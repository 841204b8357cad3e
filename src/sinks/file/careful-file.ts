import { Observable } from 'rxjs';
import type { OpenFile } from '../../model/files.js';

/**
 * A file whose closing waits for the calls that are under way. A call that was begun cannot be taken back; after a close
 * beside it, its descriptor may be another file's.
 */
export function carefulFile(file: OpenFile): OpenFile {
  let running = 0;
  let whenIdle: (() => void) | undefined;
  const ended = (): void => {
    running--;
    if (running === 0) whenIdle?.();
  };
  const tracked = <T>(call: Observable<T>): Observable<T> =>
    new Observable((subscriber) => {
      running++;
      // Not cancelled with its subscriber: when it has ended is to be known.
      call.subscribe({
        next: (value) => subscriber.next(value),
        error: (error: unknown) => {
          ended();
          subscriber.error(error);
        },
        complete: () => {
          ended();
          subscriber.complete();
        },
      });
    });
  return {
    stat: () => tracked(file.stat()),
    read: (target, position) => tracked(file.read(target, position)),
    write: (bytes, position) => tracked(file.write(bytes, position)),
    truncate: (length) => tracked(file.truncate(length)),
    sync: () => tracked(file.sync()),
    close: () =>
      new Observable((subscriber) => {
        const close = (): void => {
          whenIdle = undefined;
          file.close().subscribe(subscriber);
        };
        if (running === 0) close();
        else whenIdle = close;
      }),
  };
}

/** What matters of it was synced; there is nobody left to tell of an error. */
export function closeQuietly(file: OpenFile): void {
  file.close().subscribe({ error: () => undefined });
}
