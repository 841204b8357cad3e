// Windows of the operator pack: events a second through withWatermark and a window, 10 000 keys.
import { from } from 'rxjs';
import { countOf, slidingWindow, statsOf, sumOf, tumblingWindow, withWatermark } from '../../dist/index.js';

const EVENTS = 1_000_000;
const KEYS = 10_000;
const timeOf = (event) => event.timeMs;
const keyOf = (event) => event.key;
const valueOf = (event) => event.value;

/** 50 events a ms of event time, 4 lanes, a little out of order, keys in no order. */
function makeEvents() {
  const names = Array.from({ length: KEYS }, (_, at) => `service-${at}`);
  let seed = 1;
  // The upper bits: the lower ones of such a generator repeat.
  const random = (limit) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * limit);
  };
  return Array.from({ length: EVENTS }, (_, at) => ({
    timeMs: 1.7e12 + Math.floor(at / 50) - random(20),
    key: names[random(KEYS)],
    lane: `lane-${random(4)}`,
    value: random(1000),
  }));
}

const lanes = { timeOf, laneOf: (event) => event.lane, maxDisorderMs: 20 };
const cases = {
  'tumbling 10 s, count': () => [
    withWatermark({ timeOf, maxDisorderMs: 20 }),
    tumblingWindow({ sizeMs: 10_000, keyOf, reducer: countOf() }),
  ],
  'tumbling 10 s, stats': () => [
    withWatermark({ timeOf, maxDisorderMs: 20 }),
    tumblingWindow({ sizeMs: 10_000, keyOf, reducer: statsOf(valueOf) }),
  ],
  'tumbling 10 s, count, 4 lanes': () => [
    withWatermark(lanes),
    tumblingWindow({ sizeMs: 10_000, keyOf, reducer: countOf() }),
  ],
  'sliding 10 s / 2 s, sum': () => [
    withWatermark({ timeOf, maxDisorderMs: 20 }),
    slidingWindow({ sizeMs: 10_000, slideMs: 2000, keyOf, reducer: sumOf(valueOf) }),
  ],
};

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Prints what was asked for beside what was measured. */
export function windows() {
  const events = makeEvents();
  console.log(`\nwindows: ${EVENTS} events, ${KEYS} keys; medians of 5 runs, node ${process.version}`);
  for (const [name, operators] of Object.entries(cases)) {
    const rates = [];
    let results = 0;
    for (let round = 0; round < 5; round++) {
      results = 0;
      const startedAt = performance.now();
      from(events)
        .pipe(...operators())
        .subscribe(() => results++);
      rates.push(EVENTS / (performance.now() - startedAt) / 1000);
    }
    if (results === 0) throw new Error('no window came out');
    console.log(
      `  ${name.padEnd(32)} ${median(rates).toFixed(2)} M events/s   asked: at least 1.00   (${results} results)`,
    );
  }
}
