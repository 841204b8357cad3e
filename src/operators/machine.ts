import { asyncScheduler, Observable, Subject, takeUntil } from 'rxjs';
import type { OperatorFunction, SchedulerLike, Subscriber, Subscription } from 'rxjs';

/** A state machine without streams: plain code that is told what happens and what time it is. */
export interface Machine<T, R, S = never> {
  /** Without it the machine is told 0 for the time, and has no timer: asking the clock costs more than most elements. */
  readonly usesClock?: boolean;
  /** Takes an element in; gives what goes out because of it, in order. */
  next(element: T, nowMs: number): readonly R[];
  /** What goes out when the source has completed. */
  complete?(): readonly R[];
  /** Takes in what is said beside the stream. */
  signal?(signal: S, nowMs: number): readonly R[];
  /** When the clock alone will change something. Asked when no timer runs: what is answered may become later, not earlier. */
  dueMs?(nowMs: number): number;
  /** The clock has reached `dueMs`. */
  tick?(nowMs: number): readonly R[];
}

/** How a machine is run. */
export interface MachineRun<T, R, S> {
  /** A fresh machine for each subscription. */
  readonly create: () => Machine<T, R, S>;
  /** Said beside the stream, from before the source is subscribed. Its completion means nothing. */
  readonly signals?: Observable<S> | undefined;
}

/** The answer of a machine that has nothing to say. */
export const nothing: readonly never[] = [];

/** Emits in order, also when the consumer makes more come out while it is inside `next`. */
class Outlet<R> {
  readonly #subscriber: Subscriber<R>;
  #waiting: (readonly R[])[] = [];
  #isEmitting = false;
  #end: (() => void) | undefined;

  constructor(subscriber: Subscriber<R>) {
    this.#subscriber = subscriber;
  }

  emit(results: readonly R[]): void {
    const [only] = results;
    if (results.length === 0 || this.#end !== undefined) return;
    if (this.#isEmitting) {
      this.#waiting.push(results);
      return;
    }
    this.#isEmitting = true;
    // Most machines say one thing at a time.
    if (results.length === 1) this.#subscriber.next(only as R);
    else this.#emitAll(results);
    if (this.#waiting.length > 0) this.#emitWaiting();
    this.#isEmitting = false;
    // Set by the consumer inside `next`.
    (this.#end as (() => void) | undefined)?.();
  }

  /** Ends after what is still waiting. Whatever comes later has no way out. */
  end(end: () => void): void {
    this.#end ??= end;
    if (!this.#isEmitting) this.#end();
  }

  #emitAll(results: readonly R[]): void {
    for (const result of results) {
      if (this.#subscriber.closed) return;
      this.#subscriber.next(result);
    }
  }

  #emitWaiting(): void {
    while (this.#waiting.length > 0 && !this.#subscriber.closed) {
      const runs = this.#waiting;
      this.#waiting = [];
      for (const results of runs) this.#emitAll(results);
    }
  }
}

/** One subscription: a machine, its way out and its timer. */
class Running<T, R, S> {
  readonly #machine: Machine<T, R, S>;
  readonly #subscriber: Subscriber<R>;
  readonly #outlet: Outlet<R>;
  readonly #scheduler: SchedulerLike;
  readonly #usesClock: boolean;
  #timer: Subscription | undefined;

  constructor(machine: Machine<T, R, S>, subscriber: Subscriber<R>, scheduler: SchedulerLike) {
    this.#machine = machine;
    this.#subscriber = subscriber;
    this.#outlet = new Outlet(subscriber);
    this.#scheduler = scheduler;
    this.#usesClock = machine.usesClock === true;
    subscriber.add(() => this.#timer?.unsubscribe());
  }

  next(element: T): void {
    // Spelled out, not by way of #step: every element passes here.
    let results: readonly R[];
    try {
      results = this.#machine.next(element, this.#nowMs());
    } catch (error) {
      this.fail(error);
      return;
    }
    if (results.length > 0) this.#outlet.emit(results);
    if (this.#usesClock && this.#timer === undefined) this.#arm();
  }

  signal(signal: S): void {
    this.#step(() => this.#machine.signal?.(signal, this.#nowMs()));
  }

  fail(error: unknown): void {
    this.#outlet.end(() => this.#subscriber.error(error));
  }

  complete(): void {
    this.#step(() => this.#machine.complete?.());
    this.#outlet.end(() => this.#subscriber.complete());
  }

  #step(answer: () => readonly R[] | undefined): void {
    try {
      this.#outlet.emit(answer() ?? nothing);
    } catch (error) {
      this.fail(error);
      return;
    }
    if (this.#usesClock && this.#timer === undefined) this.#arm();
  }

  #arm(): void {
    const nowMs = this.#nowMs();
    const dueMs = this.#machine.dueMs?.(nowMs) ?? Infinity;
    if (dueMs === Infinity || this.#subscriber.closed) return;
    const due = (): void => {
      this.#timer = undefined;
      this.#step(() => this.#machine.tick?.(this.#nowMs()));
    };
    this.#timer = this.#scheduler.schedule(due, Math.max(0, dueMs - nowMs));
  }

  #nowMs(): number {
    return this.#usesClock ? this.#scheduler.now() : 0;
  }
}

/**
 * Runs a state machine as an operator: the one place where machines meet streams.
 *
 * - on error: passed on after what is already on its way; the machine is not asked. A throw in the machine is an error.
 * - on complete: what the machine gives for it, then completes. On unsubscribe: timer and signals are cancelled.
 * - memory: the machine's, and what a consumer makes come out while it is inside `next`.
 */
export function runMachine<T, R, S = never>(
  run: MachineRun<T, R, S>,
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<T, R> {
  return (source) =>
    new Observable((subscriber) => {
      const running = new Running(run.create(), subscriber, scheduler);
      // A synchronous source is still inside `subscribe` when the consumer leaves: this is what stops it.
      const left = new Subject<void>();
      subscriber.add(() => left.next());
      const fail = (error: unknown): void => running.fail(error);
      if (run.signals !== undefined) {
        const next = (signal: S): void => running.signal(signal);
        subscriber.add(run.signals.pipe(takeUntil(left)).subscribe({ next, error: fail }));
      }
      // The signals may have failed at once.
      if (subscriber.closed) return;
      subscriber.add(
        source.pipe(takeUntil(left)).subscribe({
          next: (element) => running.next(element),
          error: fail,
          complete: () => {
            // When the consumer has left it is `left` that completes.
            if (!subscriber.closed) running.complete();
          },
        }),
      );
    });
}
