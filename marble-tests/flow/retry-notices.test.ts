import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { withNotices } from '../../src/flow/retry-notices.js';
import { MillraceError } from '../../src/model/errors.js';
import type { ErrorCode } from '../../src/model/errors.js';
import type { Notice } from '../../src/model/notice.js';

function failing(): { fail: (code: ErrorCode, triesInARow: number, atMs: number) => void; warned: string[] } {
  const scheduler = new VirtualTimeScheduler();
  const warned: string[] = [];
  const report = ({ level, code, details }: Notice): void => {
    if (level === 'warn') warned.push(`${scheduler.now()} ${code!} ${String(details!['triesInARow'])}`);
  };
  const policy = withNotices({}, 'delivering', report, scheduler);
  return {
    fail: (code, triesInARow, atMs) => {
      scheduler.frame = atMs;
      policy.onRetry?.({ error: new MillraceError(code), triesInARow, waitMs: 1 });
    },
    warned,
  };
}

describe('withNotices', () => {
  it('warns at once, then less and less often', () => {
    const { fail, warned } = failing();
    for (let tries = 1; tries <= 9; tries++) fail('MILLRACE_E_FILE_IO', tries, tries * 10_000);
    expect(warned).toEqual([1, 2, 4, 8].map((tries) => `${tries * 10_000} MILLRACE_E_FILE_IO ${tries}`));
  });

  it('of many deliveries that meet the same fault one says so; another fault is said at once', () => {
    const { fail, warned } = failing();
    for (let delivery = 0; delivery < 100; delivery++) fail('MILLRACE_E_ELASTICSEARCH_UNREACHABLE', 1, delivery);
    fail('MILLRACE_E_ELASTICSEARCH_DENIED', 1, 200);
    for (let delivery = 0; delivery < 100; delivery++) fail('MILLRACE_E_ELASTICSEARCH_UNREACHABLE', 2, 300 + delivery);
    fail('MILLRACE_E_ELASTICSEARCH_UNREACHABLE', 1, 5000);
    expect(warned).toEqual([
      '0 MILLRACE_E_ELASTICSEARCH_UNREACHABLE 1',
      '200 MILLRACE_E_ELASTICSEARCH_DENIED 1',
      '300 MILLRACE_E_ELASTICSEARCH_UNREACHABLE 2',
      '5000 MILLRACE_E_ELASTICSEARCH_UNREACHABLE 1',
    ]);
  });
});
