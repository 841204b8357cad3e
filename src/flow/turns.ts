import { concat, defer, finalize, Subject } from 'rxjs';
import type { Observable } from 'rxjs';

/** Work of the same name runs one after the other, in the order in which it was subscribed. */
export class Turns {
  readonly #queues = new Map<string, Subject<never>[]>();

  /** The work, when everything of this name that was subscribed before has ended or was unsubscribed. */
  take<T>(name: string, work: Observable<T>): Observable<T> {
    return defer(() => {
      const queue = this.#queues.get(name) ?? [];
      const turn = new Subject<never>();
      this.#queues.set(name, queue);
      queue.push(turn);
      if (queue.length === 1) turn.complete();
      return concat(turn, work).pipe(finalize(() => this.#end(name, queue, turn)));
    });
  }

  #end(name: string, queue: Subject<never>[], turn: Subject<never>): void {
    queue.splice(queue.indexOf(turn), 1);
    if (queue.length === 0) this.#queues.delete(name);
    // Has no effect when it was its turn already.
    queue[0]?.complete();
  }
}
