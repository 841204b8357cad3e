import type { Counts } from '../flow/ledger.js';
import type { Status } from './supervisor.js';

function outcome({ ledger }: Status): Record<string, unknown> {
  const { read, expanded, filtered, delivered, deadLettered, duplicates } = ledger.total;
  const counts = (of: Counts): Counts => ({ ...of });
  const legs = Object.entries(ledger.legs);
  return {
    read,
    expanded,
    filtered,
    delivered,
    deadLettered,
    duplicates,
    ...(legs.length < 2 ? {} : { legs: Object.fromEntries(legs.map(([name, leg]) => [name, counts(leg)])) }),
  };
}

/** The one line of JSON that a run with --once ends with: the ledger, and how long it took. */
export function summary(statuses: readonly Status[], seconds: number): string {
  const took = Number(seconds.toFixed(3));
  const [only] = statuses;
  if (statuses.length === 1 && only !== undefined) return JSON.stringify({ ...outcome(only), seconds: took });
  const keys = ['read', 'expanded', 'filtered', 'delivered', 'deadLettered', 'duplicates'] as const;
  const sums = Object.fromEntries(
    keys.map((key) => [key, statuses.reduce((all, { ledger }) => all + ledger.total[key], 0)]),
  );
  const pipelines = Object.fromEntries(statuses.map((status) => [status.name, outcome(status)]));
  return JSON.stringify({ ...sums, seconds: took, pipelines });
}
