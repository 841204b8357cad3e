/**
 * The state of one operator, over restarts: give it what was saved, hand it to the operator, and ask it for the state
 * whenever a checkpoint is due. What `capture` gives is plain data that JSON can say, as it is at that instant.
 *
 * - each subscription starts from `saved`; `capture` speaks of the latest subscription, so use one for one stream.
 * - memory: nothing beyond the operator's own state; a state that is no longer subscribed can still be captured.
 *
 * @example
 * ```ts
 * const kept = new KeptState(JSON.parse('{"version":1,"count":2,"keys":[["",4,1,1]]}'));
 * concat(of('b', 'c'), NEVER)
 *   .pipe(countWindow({ count: 2, reducer: countOf(), state: kept }))
 *   .subscribe(({ index, value }) => console.log(index, value));
 * // → 4 2
 * console.log(JSON.stringify(kept.capture()));
 * // → {"version":1,"count":2,"keys":[["",5,1,1]]}
 * ```
 */
export class KeptState<S> {
  readonly saved: S | undefined;
  #capture: (() => S) | undefined;

  constructor(saved?: S) {
    this.saved = saved;
  }

  /** The state now; before the first subscription what was saved. */
  capture(): S | undefined {
    return this.#capture === undefined ? this.saved : this.#capture();
  }

  /** For operators: how to ask for the state. */
  connect(capture: () => S): void {
    this.#capture = capture;
  }
}
