import { CrashRun } from './crash-run.js';
import type { CrashReport, CrashTrial } from './crash-trial.js';
import { Seeded } from './seeded.js';

const CRASH_RUNS = 200;

/**
 * Runs a pipeline once without a crash, then again and again, and each time lets the process die at another call of a port;
 * it starts again from what was durable, may die again, or be stopped, and goes on until everything is through. Throws an
 * AssertionError when something is lost, comes twice or out of order against the promise, or when the ledger is not exact.
 *
 * A sink that acknowledges before it has what it took is found, because it loses it in one of the runs.
 *
 * The time is virtual and everything is synchronous: a promise in a pipeline waits for ever. What is under way when the
 * process dies happens or not; what was not synced on the fake disk is lost, torn, or there all the same.
 *
 * @example
 * ```ts
 * const report = enumerateCrashes({
 *   lanes: { app: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] },
 *   world: () => new Map<string, string>(), // the table: a row for each id, so a replay does no harm
 *   pipeline: ({ world, call }) => {
 *     const insert = (event: LogEvent) => world.set(event.id, String(event.get('message')));
 *     const table = resourceOf<LogEvent>({
 *       deliver: (delivery) =>
 *         call('insert', () => {
 *           delivery.items.forEach(insert);
 *           return receiptFor(delivery);
 *         }),
 *     });
 *     return { routes: [{ name: 'table', stages: [], to: [table] }] };
 *   },
 *   outcome: (world) => [...world.values()],
 *   promise: 'exactlyOnce',
 * });
 * console.log(report.outcome.join(' '), report.crashes > 200);
 * // → a b c d e f g h true
 * ```
 */
export function enumerateCrashes<W>(trial: CrashTrial<W>): CrashReport {
  const uncut = new CrashRun(trial, [], 0);
  const calls = uncut.play();
  const { outcome } = uncut;
  const expected = trial.expected ?? outcome;
  if (expected.length === 0) throw new Error('nothing comes out of this pipeline: crashes would prove nothing');
  uncut.check(expected);
  const random = new Seeded(trial.seed ?? 1);
  const { crashRuns = CRASH_RUNS } = trial;
  let crashes = 0;
  for (let run = 1; run <= crashRuns; run++) {
    const cut = 1 + (Math.floor((run - 1) * Math.max(1, calls / crashRuns)) % calls);
    // The next lives may die as well: while they recover, or later.
    const further = random.chance(0.5) ? [] : [1 + random.below(10), 1 + random.below(calls)];
    const next = new CrashRun(trial, [cut, ...further], run);
    next.play();
    next.check(expected);
    crashes += next.crashes;
  }
  return { runs: 1 + crashRuns, crashes, outcome };
}
