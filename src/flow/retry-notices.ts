import type { SchedulerLike } from 'rxjs';
import { MillraceError, messageOf } from '../model/errors.js';
import type { Notice } from '../model/notice.js';
import type { BackoffPolicy } from '../operators/backoff.js';

/** Many deliveries meet the same fault at the same time: one of them says so. */
const QUIET_MS = 5000;

/**
 * The policy, with a notice for each failed try: a warning for the 1st, 2nd, 4th, 8th … failure in a row, but not more than
 * one in 5 s for the n-th with the same code; the others are for debugging. Memory: some ten numbers a code.
 */
export function withNotices(
  policy: BackoffPolicy,
  what: string,
  report: (notice: Notice) => void,
  scheduler: SchedulerLike,
): BackoffPolicy {
  const warnedAt = new Map<string, number>();
  return {
    ...policy,
    onRetry: ({ error, triesInARow, waitMs }) => {
      const code = error instanceof MillraceError ? error.code : undefined;
      const now = scheduler.now();
      const which = `${code ?? ''} ${triesInARow}`;
      const isQuiet = now - (warnedAt.get(which) ?? -Infinity) < QUIET_MS;
      const isWarning = (triesInARow & (triesInARow - 1)) === 0 && !isQuiet;
      if (isWarning) warnedAt.set(which, now);
      report({
        level: isWarning ? 'warn' : 'debug',
        message: `${what}: ${messageOf(error)}; trying again`,
        ...(code === undefined ? {} : { code }),
        details: { triesInARow, waitMs: Math.round(waitMs) },
      });
      policy.onRetry?.({ error, triesInARow, waitMs });
    },
  };
}
