import { asyncScheduler, mergeMap, takeUntil, throwError, timer } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { MillraceError } from '../model/errors.js';

/** Errors with MILLRACE_E_FLOW_START_DEADLINE after so many ms, unless `opened` emits before. Never emits. */
export function startDeadline(
  startDeadlineMs: number,
  opened: Observable<unknown>,
  scheduler: SchedulerLike = asyncScheduler,
): Observable<never> {
  const late = new MillraceError('MILLRACE_E_FLOW_START_DEADLINE', `startDeadlineMs is ${startDeadlineMs}`);
  return timer(startDeadlineMs, scheduler).pipe(
    mergeMap(() => throwError(() => late)),
    takeUntil(opened),
  );
}
