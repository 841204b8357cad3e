import { isoTimes, rfc3339 } from '../operators/iso-time.js';

/** What a time of the command line may be, for its faults. */
export const TIME_EXPECTED =
  'a time such as 2026-03-09T10:11:12Z, a date, a time ago such as 15m, 2h or 3d, today, or yesterday (all in UTC)';

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DAY_MS = 86_400_000;
const iso = isoTimes(true);

/**
 * A time of the command line as RFC 3339, in UTC: an ISO 8601 time (without a zone: UTC), a date, a time ago, or the
 * beginning of today or yesterday in UTC, as the times are shown. Undefined for any other text.
 */
export function searchTime(text: string, nowMs: number): string | undefined {
  const word = text.trim().toLowerCase();
  if (word === 'now') return rfc3339(nowMs);
  if (word === 'today' || word === 'yesterday') {
    return rfc3339(nowMs - (nowMs % DAY_MS) - (word === 'today' ? 0 : DAY_MS));
  }
  const [, amount, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)\s*([smhdw])$/.exec(word) ?? [];
  if (amount !== undefined) return rfc3339(nowMs - Number(amount) * (UNITS_MS[unit] ?? 0));
  return iso(/^\d{4}-\d\d-\d\d$/.test(word) ? `${word}T00:00:00Z` : text.trim().replace(/z$/, 'Z').replace('t', 'T'));
}
