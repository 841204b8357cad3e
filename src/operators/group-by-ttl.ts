import { asyncScheduler, debounceTime, defer, finalize, groupBy, merge, startWith, Subject, tap } from 'rxjs';
import type { GroupedObservable, OperatorFunction, SchedulerLike } from 'rxjs';
import { atLeast } from './at-least.js';

/** When a group ends. */
export interface GroupTtlConfig {
  /** So many groups at a time: one more ends the group that was silent longest. */
  readonly maxKeys: number;
  /** A group that was silent for so long ends. */
  readonly idleMs: number;
}

/** What happens to an open group. */
interface Life {
  readonly values: Subject<void>;
  readonly eviction: Subject<void>;
}

/**
 * `groupBy` whose groups end: after a silence, and when there are too many. A key that comes again opens a new group.
 * (RxJS's own keeps every key for ever without a `duration`.)
 *
 * - on error: passed to the groups and on. On complete: the groups complete, then it does.
 * - on unsubscribe: groups that somebody still listens to go on until they end, as with `groupBy`.
 * - never has more than `maxKeys` groups open; within a group the order is kept.
 * - memory: `maxKeys` keys, Subjects and timers. A throw in `key` is an error notification.
 *
 * ```marbles
 * source  a-b-a---------a-|
 * > groupByTtl((value) => value, { maxKeys: 9, idleMs: 5 }), mergeMap((group) => group.pipe(count()))
 * output  -------1-2------(1|)
 * ```
 *
 * @example
 * ```ts
 * of('a1', 'b1', 'a2', 'c1', 'b2')
 *   .pipe(
 *     groupByTtl((text) => text.charAt(0), { maxKeys: 2, idleMs: 1000 }),
 *     mergeMap((group) => group.pipe(toArray())),
 *   )
 *   .subscribe((texts) => console.log(texts.join(' ')));
 * // → b1
 * // → a1 a2
 * // → c1
 * // → b2
 * ```
 */
export function groupByTtl<T, K>(
  key: (value: T) => K,
  { maxKeys, idleMs }: GroupTtlConfig,
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<T, GroupedObservable<K, T>> {
  atLeast(1, { maxKeys });
  atLeast(0, { idleMs });
  return (source) =>
    defer(() => {
      // In the order of their last value: the first one is the one that was silent longest.
      const open = new Map<K, Life>();
      const touch = (value: T): K => {
        const of = key(value);
        const life = open.get(of);
        if (life !== undefined) {
          open.delete(of);
          open.set(of, life);
          life.values.next();
        } else if (open.size >= maxKeys) {
          for (const oldest of open.values()) {
            oldest.eviction.next();
            break;
          }
        }
        return of;
      };
      return source.pipe(
        groupBy(touch, {
          duration: ({ key: of }) => {
            const life: Life = { values: new Subject(), eviction: new Subject() };
            open.set(of, life);
            const forget = (): void => {
              if (open.get(of) === life) open.delete(of);
            };
            // Not `group.pipe(debounceTime(…))`: whoever listens to a group keeps the source subscribed.
            const silence = life.values.pipe(startWith(undefined), debounceTime(idleMs, scheduler));
            // Forgotten before the group ends: its last consumer may push the same key again.
            return merge(silence, life.eviction).pipe(tap(forget), finalize(forget));
          },
        }),
      );
    });
}
