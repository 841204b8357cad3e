import { Observable } from 'rxjs';

/** Writes a text: emits once and completes when the stream has taken it, so whoever waits has back-pressure. */
export type WriteText = (text: string) => Observable<void>;

/**
 * A stream as a port. Each write starts at subscription; unsubscribing does not take it back. Errors are the stream's.
 * Call it once for a stream: it listens to the stream's `error` event, which would end the process if nobody did.
 */
export function writeTo(stream: NodeJS.WritableStream): WriteText {
  stream.on('error', () => {
    // The write that failed reports it.
  });
  return (text) =>
    new Observable((subscriber) => {
      stream.write(text, (error) => {
        if (error) {
          subscriber.error(error);
          return;
        }
        subscriber.next();
        subscriber.complete();
      });
    });
}

const CLOSED = ['EPIPE', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'];

/** True when nobody reads the output any more: `| head` has seen enough, the terminal is gone. */
export function isOutputClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CLOSED.includes(String(error.code));
}
