import { throwError, timeout } from 'rxjs';
import type { MonoTypeOperatorFunction, SchedulerLike } from 'rxjs';
import { isTransient, MillraceError, messageOf } from '../../model/errors.js';
import type { SourceContext } from '../../model/source.js';
import type { BackoffPolicy } from '../../operators/backoff.js';
import { retryBackoff } from '../../operators/retry-backoff.js';

/** What patience depends on. */
interface Patience {
  readonly context: SourceContext;
  readonly scheduler: SchedulerLike;
}

/** A schema registry that is away is waited for; a run that ends waits as long as for anything else. */
export function patience<T>(id: string, { context, scheduler }: Patience): MonoTypeOperatorFunction<T> {
  const { once, startDeadlineMs, report } = context;
  const late = new MillraceError('MILLRACE_E_FLOW_START_DEADLINE', id);
  const onRetry: BackoffPolicy['onRetry'] = ({ error, triesInARow }) =>
    report({
      level: (triesInARow & (triesInARow - 1)) === 0 ? 'warn' : 'debug',
      message: `${id}: ${messageOf(error)}; waiting`,
      ...(error instanceof MillraceError ? { code: error.code } : {}),
    });
  return (source) => {
    const retried = source.pipe(retryBackoff({ maxMs: 10_000, recoverable: isTransient, onRetry }, scheduler));
    return once
      ? retried.pipe(timeout({ first: startDeadlineMs, with: () => throwError(() => late), scheduler }))
      : retried;
  };
}
