/**
 * How the elements of a window become one value. `add` and `merge` give a new accumulator and leave what they were
 * given as it is: one accumulator may be part of many windows, and of a snapshot. It must be plain data for JSON if
 * snapshots are taken. `merge` must not care which part came first.
 */
export interface Reducer<T, A, R> {
  readonly create: () => A;
  readonly add: (accumulator: A, element: T) => A;
  readonly merge: (one: A, other: A) => A;
  readonly result: (accumulator: A) => R;
}

/** What is known of the numbers in a window. */
export interface Stats {
  readonly count: number;
  readonly mean: number;
  /** Of these numbers themselves: the sum of squares divided by `count`. */
  readonly variance: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
}

/** Count, mean, sum of squared distances from the mean, least and greatest. */
export interface Moments {
  readonly count: number;
  readonly mean: number;
  readonly squares: number;
  readonly min: number;
  readonly max: number;
}

const itself = <A>(accumulator: A): A => accumulator;

/**
 * Counts the elements.
 *
 * @example
 * ```ts
 * from([2, 4, 9])
 *   .pipe(countWindow({ count: 3, reducer: countOf() }))
 *   .subscribe(({ value }) => console.log(value));
 * // → 3
 * ```
 */
export function countOf<T>(): Reducer<T, number, number> {
  return { create: () => 0, add: (count) => count + 1, merge: (one, other) => one + other, result: itself };
}

/**
 * Adds up.
 *
 * @example
 * ```ts
 * from([2, 4, 9])
 *   .pipe(countWindow({ count: 3, reducer: sumOf((n) => n) }))
 *   .subscribe(({ value }) => console.log(value));
 * // → 15
 * ```
 */
export function sumOf<T>(valueOf: (element: T) => number): Reducer<T, number, number> {
  return {
    create: () => 0,
    add: (sum, element) => sum + valueOf(element),
    merge: (one, other) => one + other,
    result: itself,
  };
}

/** Null only before the first element, because JSON has no infinity. */
function extremeOf<T>(
  valueOf: (element: T) => number,
  pick: (one: number, other: number) => number,
): Reducer<T, number | null, number> {
  return {
    create: () => null,
    add: (extreme, element) => (extreme === null ? valueOf(element) : pick(extreme, valueOf(element))),
    merge: (one, other) => (one === null || other === null ? (one ?? other) : pick(one, other)),
    result: (extreme) => extreme ?? NaN,
  };
}

/**
 * The least.
 *
 * @example
 * ```ts
 * from([2, 4, 9])
 *   .pipe(countWindow({ count: 3, reducer: minOf((n) => n) }))
 *   .subscribe(({ value }) => console.log(value));
 * // → 2
 * ```
 */
export function minOf<T>(valueOf: (element: T) => number): Reducer<T, number | null, number> {
  return extremeOf(valueOf, Math.min);
}

/**
 * The greatest.
 *
 * @example
 * ```ts
 * from([2, 4, 9])
 *   .pipe(countWindow({ count: 3, reducer: maxOf((n) => n) }))
 *   .subscribe(({ value }) => console.log(value));
 * // → 9
 * ```
 */
export function maxOf<T>(valueOf: (element: T) => number): Reducer<T, number | null, number> {
  return extremeOf(valueOf, Math.max);
}

/**
 * The arithmetic mean.
 *
 * @example
 * ```ts
 * from([2, 4, 9])
 *   .pipe(countWindow({ count: 3, reducer: meanOf((n) => n) }))
 *   .subscribe(({ value }) => console.log(value));
 * // → 5
 * ```
 */
export function meanOf<T>(valueOf: (element: T) => number): Reducer<T, Moments, number> {
  return { ...statsOf(valueOf), result: ({ mean }) => mean };
}

/**
 * Count, mean, variance, standard deviation, least and greatest, without the cancellation of a sum of squares.
 *
 * @example
 * ```ts
 * from([2, 4, 9])
 *   .pipe(countWindow({ count: 3, reducer: statsOf((n) => n) }))
 *   .subscribe(({ value }) => console.log(value.count, value.mean, value.variance.toFixed(2), value.min, value.max));
 * // → 3 5 8.67 2 9
 * ```
 */
export function statsOf<T>(valueOf: (element: T) => number): Reducer<T, Moments, Stats> {
  return {
    create: () => noMoments,
    add: (moments, element) => withValue(moments, valueOf(element)),
    merge: mergedMoments,
    result: statsFrom,
  };
}

/** The moments of no number at all. (JSON cannot say them; a window has at least one element, so it need not.) */
export const noMoments: Moments = { count: 0, mean: 0, squares: 0, min: Infinity, max: -Infinity };

/** One number more; the mean is measured from `from`. Source: B. P. Welford, Technometrics 4(3), 1962. */
export function withValue({ count, mean, squares, min, max }: Moments, value: number, from = 0): Moments {
  const place = value - from;
  const distance = place - mean;
  const newMean = mean + distance / (count + 1);
  return {
    count: count + 1,
    mean: newMean,
    squares: squares + distance * (place - newMean),
    min: value < min ? value : min,
    max: value > max ? value : max,
  };
}

/**
 * Two parts as one; the other's mean is measured from a place that is `apart` from the one's.
 * Source: Chan, Golub, LeVeque, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances, 1979.
 */
export function mergedMoments(one: Moments, other: Moments, apart = 0): Moments {
  if (other.count === 0) return one;
  if (one.count === 0) return { ...other, mean: other.mean + apart };
  const count = one.count + other.count;
  const distance = apart + (other.mean - one.mean);
  return {
    count,
    mean: one.mean + (distance * other.count) / count,
    squares: one.squares + other.squares + (distance * distance * one.count * other.count) / count,
    min: Math.min(one.min, other.min),
    max: Math.max(one.max, other.max),
  };
}

/** The moments as they are read. */
export function statsFrom({ count, mean, squares, min, max }: Moments): Stats {
  const variance = squares / count;
  return { count, mean: count === 0 ? NaN : mean, variance, std: Math.sqrt(variance), min, max };
}
