// npm run bench -- operators: each synchronous operator beside the nearest one of RxJS, on a million
// elements. Both in turn, and the ratio is the median of the rounds: the machine's mood hits both.
import * as rxjs from 'rxjs';
import * as millrace from '../../dist/index.js';

const ELEMENTS = 1_000_000;
const ROUNDS = 5;
const { bufferCount, catchError, concatMap, distinct, filter, map, mergeMap, of, range, retry, scan, tap } = rxjs;
const { take, timer } = rxjs;
const forgetting = (keys) => rxjs.groupBy((n) => n % keys, { duration: () => timer(60_000) });
const demand = rxjs.concat(of(Infinity), rxjs.NEVER);
const lines = map((n) => (n % 4 === 0 ? 'a' : '.'));

/** The operator, and what of RxJS comes nearest. Those marked look at the clock for every element,
 * as only `timestamp` of RxJS does. */
const pairs = [
  ['batch({ maxCount })', millrace.batch({ maxCount: 100 }), 'bufferCount', bufferCount(100)],
  [
    'batch({ maxCount, maxWaitMs })',
    millrace.batch({ maxCount: 100, maxWaitMs: 50 }),
    'bufferTime',
    rxjs.bufferTime(50, null, 100),
  ],
  ['rateWindow', millrace.rateWindow({ everyMs: 1000 }), 'bufferTime', rxjs.bufferTime(1000)],
  [
    'mergeMapBounded',
    millrace.mergeMapBounded((n) => of(n), { concurrency: 1 }),
    'mergeMap(…, 1)',
    mergeMap((n) => of(n), 1),
  ],
  ['orderedMergeMap', millrace.orderedMergeMap((n) => of(n), { concurrency: 1 }), 'concatMap', concatMap((n) => of(n))],
  [
    'semaphore',
    (s) =>
      s.pipe(
        map((n) => of(n)),
        millrace.semaphore(1),
      ),
    'mergeAll(1)',
    (s) =>
      s.pipe(
        map((n) => of(n)),
        rxjs.mergeAll(1),
      ),
  ],
  ['withDemand', millrace.withDemand(demand), 'filter', filter(() => true)],
  ['onBackpressureBuffer', millrace.onBackpressureBuffer(demand, { max: 10 }), 'filter', filter(() => true)],
  ['onBackpressureDrop', millrace.onBackpressureDrop(demand), 'filter', filter(() => true)],
  ['onBackpressureLatest', millrace.onBackpressureLatest(demand), 'filter', filter(() => true)],
  [
    'slidingWindowLimit (clock)',
    millrace.slidingWindowLimit({ max: 1000, perMs: 1000, mode: 'drop' }),
    'timestamp + filter',
    (s) =>
      s.pipe(
        rxjs.timestamp(),
        filter(({ value }) => value < 1000),
      ),
  ],
  ['retryBackoff', millrace.retryBackoff({}), 'retry', retry()],
  [
    'recoverOrTerminate',
    millrace.recoverOrTerminate({ recoverable: () => true, degrade: () => of(0), notify: () => {} }),
    'retry + catchError',
    (s) =>
      s.pipe(
        retry(),
        catchError(() => of(0)),
      ),
  ],
  ['fallbackTo', millrace.fallbackTo(() => of(0)), 'catchError', catchError(() => of(0))],
  ['onErrorReturnItem', millrace.onErrorReturnItem(0), 'catchError', catchError(() => of(0))],
  [
    'fallbackEach',
    millrace.fallbackEach(
      (n) => of(n),
      () => of(0),
      { concurrency: 1 },
    ),
    'mergeMap + catchError',
    mergeMap((n) => rxjs.defer(() => of(n)).pipe(catchError(() => of(0))), 1),
  ],
  [
    'deadLetter',
    millrace.deadLetter((n) => of(n), { next: () => {} }),
    'mergeMap + catchError',
    mergeMap((n) => rxjs.defer(() => of(n)).pipe(catchError(() => rxjs.EMPTY)), 1),
  ],
  [
    'timeoutEach',
    millrace.timeoutEach((n) => of(n), { maxMs: 1000, concurrency: 1 }),
    'mergeMap + timeout',
    mergeMap((n) => of(n).pipe(rxjs.timeout(1000)), 1),
  ],
  [
    'circuitBreaker',
    millrace.circuitBreaker(new millrace.Circuit()),
    'tap',
    tap({ error: () => {}, complete: () => {} }),
  ],
  [
    'groupByTtl',
    (s) =>
      s.pipe(
        millrace.groupByTtl((n) => n % 100, { maxKeys: 100, idleMs: 1000 }),
        mergeMap((g) => g),
      ),
    'groupBy, duration',
    (s) =>
      s.pipe(
        rxjs.groupBy((n) => n % 100, { duration: (g) => g.pipe(rxjs.debounceTime(1000)) }),
        mergeMap((g) => g),
      ),
  ],
  // What RxJS has for forgetting by time: a group for each key, that ends with a timer.
  [
    'distinctWithin',
    millrace.distinctWithin({ ttlMs: 60_000, maxKeys: 2e6, key: (n) => n % 1000 }),
    'groupBy(timer), take(1)',
    (s) =>
      s.pipe(
        forgetting(1000),
        mergeMap((group) => group.pipe(take(1))),
      ),
  ],
  [
    'throttleByKey',
    millrace.throttleByKey({ key: (n) => n % 1000, perMs: 60_000, max: 10, maxKeys: 2000 }),
    'groupBy(timer), take(10)',
    (s) =>
      s.pipe(
        forgetting(1000),
        mergeMap((group) => group.pipe(take(10))),
      ),
  ],
  [
    'sampleRatio',
    millrace.sampleRatio(0.5, (n) => `trace ${n}`),
    'filter, same key',
    filter((n) => `trace ${n}`.length > 0),
  ],
  [
    'joinLines (clock)',
    (s) => s.pipe(lines, millrace.joinLines({ continuation: /^\./ })),
    'bufferCount + test',
    (s) =>
      s.pipe(
        lines,
        tap((l) => /^\./.test(l)),
        bufferCount(4),
        map((l) => l.join('\n')),
      ),
  ],
  [
    'route',
    millrace.route([{ when: (n) => n % 2 === 0, through: map((n) => n) }]),
    'groupBy + mergeMap',
    (s) =>
      s.pipe(
        rxjs.groupBy((n) => n % 2),
        mergeMap((g) => (g.key === 0 ? g.pipe(map((n) => n)) : g)),
      ),
  ],
  ['mirror', millrace.mirror({ to: () => rxjs.EMPTY }), 'tap', tap(() => {})],
  ['joinAll', (s) => millrace.joinAll([s, s]), 'forkJoin', (s) => rxjs.forkJoin([s, s])],
];

/** Beside what does less, for who wants to know: nothing is forgotten, no clock is read. Not what is asked for. */
const beside = [
  [
    'distinctWithin',
    millrace.distinctWithin({ ttlMs: 60_000, maxKeys: 2e6, key: (n) => n % 1000 }),
    'distinct',
    distinct((n) => n % 1000),
  ],
  [
    'throttleByKey',
    millrace.throttleByKey({ key: () => 0, perMs: 60_000, maxKeys: 1 }),
    'throttleTime, one key',
    rxjs.throttleTime(60_000),
  ],
  [
    'slidingWindowLimit',
    millrace.slidingWindowLimit({ max: 1, perMs: 60_000, mode: 'drop' }),
    'throttleTime',
    rxjs.throttleTime(60_000),
  ],
];

/** Those that subscribe several things for each element are measured on fewer. */
const FEWER = new Set(['fallbackEach', 'deadLetter', 'timeoutEach']);

function seconds(operator, count) {
  globalThis.gc?.();
  const startedAt = performance.now();
  const subscription = range(0, count)
    .pipe(
      operator,
      scan((count) => count + 1, 0),
    )
    .subscribe();
  const took = (performance.now() - startedAt) / 1000;
  subscription.unsubscribe();
  return took;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Measures a pair in turn, says what it found, and gives the median of the ratios. */
function ratioOf([name, ours, otherName, other]) {
  const count = FEWER.has(name) ? ELEMENTS / 10 : ELEMENTS;
  for (const each of [ours, other]) seconds(each, count);
  const rounds = Array.from({ length: ROUNDS }, () => [seconds(ours, count), seconds(other, count)]);
  const ratio = median(rounds.map(([our, their]) => our / their));
  const ns = (at) => `${((median(rounds.map((round) => round[at])) / count) * 1e9).toFixed(0)} ns`;
  console.log(
    `  ${name.padEnd(32)} ${ns(0).padStart(8)}   ${otherName.padEnd(24)} ${ns(1).padStart(8)}   ${ratio.toFixed(1)}`,
  );
  return ratio;
}

export function operators() {
  console.log(
    `\n${ELEMENTS} synchronous elements, medians of ${ROUNDS} rounds in turn, node ${process.version}; asked: at most 2.0 times the time`,
  );
  const slow = pairs.filter((pair) => ratioOf(pair) > 2).map(([name]) => name);
  console.log(slow.length === 0 ? '  all within twice the time' : `  above twice the time: ${slow.join(', ')}`);
  console.log('  beside what forgets nothing and reads no clock:');
  for (const pair of beside) ratioOf(pair);
}
