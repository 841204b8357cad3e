import { appendFile, mkdtemp, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { firstValueFrom, retry, take, toArray } from 'rxjs';
import type { Observable, Subscription } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import { fromTail } from '../../src/sources/tail/from-tail.js';

let folder = '';
let path = '';
const open: Subscription[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'from-tail-'));
  path = join(folder, 'app.log');
});
afterEach(async () => {
  for (const subscription of open.splice(0)) subscription.unsubscribe();
  await rm(folder, { recursive: true });
});

interface Seen {
  readonly lines: string[];
  readonly errors: unknown[];
  readonly subscription: Subscription;
}

function watch(source: Observable<string>): Seen {
  const lines: string[] = [];
  const errors: unknown[] = [];
  const subscription = source.subscribe({
    next: (line) => lines.push(line),
    error: (error: unknown) => errors.push(error),
  });
  open.push(subscription);
  return { lines, errors, subscription };
}

async function untilSeen(seen: Seen, lines: readonly string[]): Promise<void> {
  await vi.waitFor(() => expect(seen.lines).toEqual(lines), 5000);
}

describe('fromTail', () => {
  it('emits what is added, without line ends', async () => {
    await writeFile(path, 'old\n');
    const seen = watch(fromTail(path));
    await appendFile(path, 'one\ntwo\r\n\nthr');
    await untilSeen(seen, ['one', 'two', '']);
    await appendFile(path, 'ee\n');
    await untilSeen(seen, ['one', 'two', '', 'three']);
  });

  it('keeps characters and line ends whole that are written in parts', async () => {
    await writeFile(path, '');
    const seen = watch(fromTail(path));
    for (const byte of Buffer.from('Grüße 👩 李\r\nend\n')) {
      await appendFile(path, Buffer.of(byte));
      await wait(15);
    }
    await untilSeen(seen, ['Grüße 👩 李', 'end']);
  });

  it('emits everything from the beginning', async () => {
    const lines = Array.from({ length: 50_000 }, (_, n) => `line ${n} ü`);
    await writeFile(path, `${lines.join('\n')}\n`);
    const all = await firstValueFrom(fromTail(path, { fromBeginning: true }).pipe(take(50_000), toArray()));
    expect(all).toEqual(lines);
  });

  it.each([
    ['a\nb\nc\nd\n', 2, ['c', 'd']],
    ['a\nb\nc\npart', 2, ['b', 'c']],
    ['a\nb\n', 5, ['a', 'b']],
    ['\n\n', 5, ['', '']],
    ['part', 3, []],
    ['', 3, []],
    [`${'x'.repeat(300_000)}\nß\nend\n`, 9, ['ß', 'end']],
  ])('emits the last lines first, and then goes on without a gap (case %#)', async (content, lastLines, expected) => {
    await writeFile(path, content);
    const seen = watch(fromTail(path, { lastLines }));
    expect(seen.lines).toEqual(expected);
    await appendFile(path, 'ial\nmore\n');
    const next = content.endsWith('part') ? 'partial' : 'ial';
    await untilSeen(seen, [...expected, next, 'more']);
  });

  it('can be stopped within the first lines', async () => {
    await writeFile(path, 'a\nb\nc\n');
    expect(await firstValueFrom(fromTail(path, { lastLines: 3 }).pipe(take(2), toArray()))).toEqual(['a', 'b']);
  });

  it('emits the beginning of a line that is too long', async () => {
    await writeFile(path, '');
    const seen = watch(fromTail(path, { maxLineBytes: 20 }));
    await appendFile(path, `${'x'.repeat(200_000)}\nshort\n`);
    await untilSeen(seen, ['x'.repeat(20), 'short']);
  });

  it('is cold: nothing happens before it is subscribed, and each subscription begins anew', async () => {
    const source = fromTail(path, { fromBeginning: true });
    await writeFile(path, 'a\n');
    const first = watch(source);
    await untilSeen(first, ['a']);
    const second = watch(source);
    await untilSeen(second, ['a']);
    first.subscription.unsubscribe();
    await appendFile(path, 'b\n');
    await untilSeen(second, ['a', 'b']);
    expect(first.lines).toEqual(['a']);
  });

  it('says that there is no file, or that it is a folder', async () => {
    const missing = watch(fromTail(join(folder, 'none.log')));
    const under = watch(fromTail(join(path, 'below.log')));
    const dangling = join(folder, 'link.log');
    await symlink(join(folder, 'nowhere'), dangling);
    const link = watch(fromTail(dangling, { fromBeginning: true }));
    const directory = watch(fromTail(folder, { fromBeginning: true }));
    const codes = [missing, under, link, directory].map(({ errors }) => (errors[0] as MillraceError).code);
    expect(codes).toEqual([
      'MILLRACE_E_FILE_NOT_FOUND',
      'MILLRACE_E_FILE_NOT_FOUND',
      'MILLRACE_E_FILE_NOT_FOUND',
      'MILLRACE_E_FILE_IS_DIRECTORY',
    ]);
    expect(missing.errors[0]).toMatchObject({
      transient: true,
      message: expect.stringContaining('none.log') as string,
    });
  });

  it.each([
    ['renamed', () => rename(path, `${path}.1`)],
    ['removed', () => rm(path)],
  ])('errors once when the file is %s, and retry finds the next one', async (_, away) => {
    await writeFile(path, 'old\n');
    const once = watch(fromTail(path));
    const again = watch(fromTail(path, { fromBeginning: true }).pipe(retry({ delay: 100 })));
    await untilSeen(again, ['old']);
    await away();
    await vi.waitFor(() => expect(once.errors).toHaveLength(1), 5000);
    expect(once.errors[0]).toBeInstanceOf(MillraceError);
    expect(once.errors[0]).toMatchObject({ code: 'MILLRACE_E_FILE_NOT_FOUND' });
    await writeFile(path, 'new\n');
    await untilSeen(again, ['old', 'new']);
  });

  it('goes on after a truncation with what is written later', async () => {
    await writeFile(path, 'old\n');
    const seen = watch(fromTail(path));
    await truncate(path, 0);
    await wait(200);
    await appendFile(path, 'new\n');
    await untilSeen(seen, ['new']);
  });
});
