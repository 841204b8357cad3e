import { Observable } from 'rxjs';
import { kafkaError } from './kafka-error.js';

/** Emits what the promise gives once it has connected; unsubscribing closes it, also when that comes first. */
export function clientResource<T extends { close(): void }>(connect: () => Promise<T>): Observable<T> {
  return new Observable((subscriber) => {
    connect().then(
      (open) => {
        subscriber.add(() => open.close());
        subscriber.next(open);
      },
      (error: unknown) => subscriber.error(kafkaError(error, 'MILLRACE_E_KAFKA_UNREACHABLE')),
    );
  });
}
