import { closeSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Notice } from '../../src/model/notice.js';
import { duckdbDatabase } from '../../src/sinks/duckdb/duckdb-database.js';
import { placeForEachTest, until, within } from './harness.js';
import { answered, ask } from './stored.js';

const place = placeForEachTest();

const config = (folder: string, name = 'app'): string => `name: ${name}
source: { tail: { paths: ["logs/${name}.log"], pollMs: 50 } }
checkpoint: { path: data/${name}.checkpoint, everyMs: 100 }
routes: [{ name: all, to: { duckdb: { path: ${folder}/store.duckdb } } }]
`;

const lines = (count: number, text: (n: number) => string = (n) => `line ${n}`): string =>
  Array.from({ length: count }, (_, n) => `${text(n)}\n`).join('');

const counted = (path: string): Promise<unknown> =>
  ask(path, 'SELECT count(*) AS n, count(DISTINCT message) AS ids FROM events');

describe('a store that cannot be used', () => {
  it('is waited for while another process has it, which is named', async () => {
    place().write('a.yaml', config('shared', 'a'));
    place().write('b.yaml', config('shared', 'b'));
    place().write('logs/a.log', lines(3));
    place().write(
      'logs/b.log',
      lines(3, (n) => `other ${n}`),
    );
    const first = place().start(['run', 'a.yaml']);
    await until(
      'the first has stored',
      () => statSync(place().path('shared/store.duckdb.wal'), { throwIfNoEntry: false }) !== undefined,
    );
    const second = place().start(['run', 'b.yaml']);
    await until('the second has said why it waits', () => second.stderr().includes('MILLRACE_E_STORE_LOCKED'));
    expect(second.stderr()).toContain(`pid ${first.pid}`);
    first.kill('SIGTERM');
    expect((await within(20_000, 'the first', first.ended)).code).toBe(0);
    await wait(3000);
    second.kill('SIGTERM');
    expect((await within(20_000, 'the second', second.ended)).code).toBe(0);
    await place().once('b.yaml');
    expect(await counted(place().path('shared/store.duckdb'))).toEqual([{ n: '6', ids: '6' }]);
  });

  it('is waited for while its folder is a file', async () => {
    place().write('pipeline.yaml', config('taken'));
    place().write('taken', 'in the way');
    place().write('logs/app.log', lines(3));
    const running = place().start(['run', 'pipeline.yaml']);
    await until('it says so', () => /MILLRACE_E_FILE_NOT_FO/.test(running.stderr()));
    place().remove('taken');
    await until(
      'it is there',
      () => statSync(place().path('taken/store.duckdb'), { throwIfNoEntry: false }) !== undefined,
    );
    await wait(1000);
    running.kill('SIGTERM');
    expect((await within(20_000, 'the end', running.ended)).code).toBe(0);
    expect(await counted(place().path('taken/store.duckdb'))).toEqual([{ n: '3', ids: '3' }]);
  });

  it('loses nothing when the disk is full for a while', async ({ skip }) => {
    const small = place().mountSmall('small', '8M');
    if (small === undefined) return skip('may not mount');
    place().write('pipeline.yaml', config('small'));
    const ballast = place().write('small/ballast', Buffer.alloc(5_500_000));
    let seed = 1;
    const noise = (n: number): string => {
      let text = `${n} `;
      while (text.length < 120) text += (seed = (seed * 48_271) % 2_147_483_647).toString(36);
      return text;
    };
    place().write('logs/app.log', lines(20_000, noise));
    const running = place().start(['run', 'pipeline.yaml']);
    await until('it says that the disk is full', () => running.stderr().includes('MILLRACE_E_FILE_NO_SPACE'), 40_000);
    place().remove('small/ballast');
    expect(ballast).toContain('small');
    await wait(8000);
    running.kill('SIGTERM');
    expect((await within(40_000, 'the end', running.ended)).code, running.stderr()).toBe(0);
    await place().once();
    expect(await counted(`${small}/store.duckdb`)).toEqual([{ n: '20000', ids: '20000' }]);
  });

  it('is replaced by what can be read of it once a search or a write has met the damage; dead rows are named', async () => {
    place().write('pipeline.yaml', config('data'));
    const total = 300_000;
    place().write(
      'logs/app.log',
      lines(total, (n) => `line ${n} of ${(n * 48_271) % 2_147_483_647}`),
    );
    await place().once();
    const path = place().path('data/store.duckdb');
    await ask(path, 'CHECKPOINT');
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(4000, 7), 0, 4000, 12_288 + 262_144 * 3 + 20_000);
    closeSync(file);
    const notices: Notice[] = [];
    const options = { path, memoryBytes: 100_000_000, threads: 1, report: (notice: Notice) => notices.push(notice) };
    const database = await firstValueFrom(duckdbDatabase(options));
    const everything = 'SELECT count(message) AS n, max(message), max("event.id") FROM events';
    await expect(answered(database, everything)).rejects.toMatchObject({ code: 'MILLRACE_E_STORE_DAMAGED' });
    const positions = await firstValueFrom(database.positions());
    expect(positions).toHaveLength(1);
    const [notice] = notices;
    expect(notice).toMatchObject({ level: 'error', code: 'MILLRACE_E_STORE_DAMAGED', details: { rows: total } });
    expect(notice!.message).toMatch(/dead rows: \d+-\d+/);
    const lost = Number(notice!.details!['lost']);
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBeLessThan(total / 2);
    const [row] = await answered(database, everything);
    expect(row).toMatchObject({ n: total - lost });
    database.close();
    await wait(500);
    expect(readdirSync(place().path('data')).some((name) => name.startsWith('store.duckdb.damaged-'))).toBe(true);
  });

  it('is begun anew when nothing of it can be read', async () => {
    place().write('pipeline.yaml', config('data'));
    place().write('logs/app.log', lines(3));
    place().write('data/store.duckdb', 'no database at all'.repeat(1000));
    const { code, stderr } = await place().once();
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('MILLRACE_E_STORE_DAMAGED');
    expect(stderr).toContain('nothing of it could be read');
    expect(readdirSync(place().path('data')).some((name) => name.startsWith('store.duckdb.damaged-'))).toBe(true);
    expect(await counted(place().path('data/store.duckdb'))).toEqual([{ n: '3', ids: '3' }]);
  });
});
