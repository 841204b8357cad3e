import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Database, Rows } from '../../src/sinks/duckdb/database.js';
import { duckdbDatabase } from '../../src/sinks/duckdb/duckdb-database.js';
import { placeForEachTest } from './harness.js';
import { answered, ask } from './stored.js';

const place = placeForEachTest();
const NONE = { exportFolder: undefined, exportUntil: undefined, removeBefore: undefined };

const ROWS_A_PIECE = 10_000;

function rowsOf(ingested: string, from: number, count: number): Rows {
  const pieces: Uint8Array[] = [];
  for (let begin = 0; begin < count; begin += ROWS_A_PIECE) {
    const rows = Array.from({ length: Math.min(ROWS_A_PIECE, count - begin) }, (_, at) => from + begin + at).map(
      (n) => ({
        0: `i:${n}`,
        1: `line ${n} ${(n * 48_271) % 2_147_483_647}`,
        2: n % 2 === 0 ? '17' : '9',
      }),
    );
    pieces.push(Buffer.from(JSON.stringify([{ 3: ingested, 4: ingested, rows }])));
  }
  return {
    count,
    columns: [
      { name: 'event.id', type: 'VARCHAR' },
      { name: 'message', type: 'VARCHAR' },
      { name: 'event.severity', type: 'SMALLINT' },
      { name: '@timestamp', type: 'TIMESTAMP' },
      { name: 'ingested', type: 'TIMESTAMP' },
    ],
    pieces,
  };
}

const open = (): Promise<Database> =>
  firstValueFrom(
    duckdbDatabase({ path: place().path('store.duckdb'), memoryBytes: 100_000_000, threads: 1, report: () => {} }),
  );

const write = (database: Database, rows: Rows): Promise<unknown> =>
  lastValueFrom(database.write({ rows, positions: [], forgotten: [] }), { defaultValue: undefined });

const count = async (database: Database, from: string): Promise<unknown> =>
  (await answered(database, `SELECT count(*) AS n, count(DISTINCT "event.id") AS ids FROM ${from}`))[0];

const parquet = (): string[] =>
  readdirSync(place().path('parquet'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.parquet'))
    .sort();

describe('the upkeep of a store', () => {
  it('exports each row once, by level and day, also when a crash has cut an export short', async () => {
    const database = await open();
    const exportFolder = place().path('parquet');
    const all = `read_parquet('${exportFolder}/**/*.parquet', hive_partitioning = true)`;
    await write(database, rowsOf('2026-01-01T10:00:00.000Z', 0, 1000));
    await write(database, rowsOf('2026-01-02T10:00:00.000Z', 1000, 1000));
    const exportTo = (exportUntil: string): Promise<unknown> =>
      lastValueFrom(database.keepUp({ ...NONE, exportFolder, exportUntil }), { defaultValue: undefined });
    await exportTo('2026-01-02T00:00:00.000Z');
    expect(parquet()).toEqual([
      'level=ERROR/date=2026-01-01/20260102T000000000Z.parquet',
      'level=INFO/date=2026-01-01/20260102T000000000Z.parquet',
    ]);
    // As a crash leaves it: begun, and in part in place, under whatever names.
    const sql = "INSERT INTO millrace_meta VALUES ('export.to', '2026-01-03T00:00:00.000Z')";
    database.close();
    await new Promise((done) => setTimeout(done, 500));
    await ask(place().path('store.duckdb'), sql);
    mkdirSync(`${exportFolder}/level=ERROR/date=2026-01-02`, { recursive: true });
    writeFileSync(`${exportFolder}/level=ERROR/date=2026-01-02/20260103T000000000Z-1.parquet`, 'half a file');
    const again = await open();
    await write(again, rowsOf('2026-01-03T10:00:00.000Z', 2000, 10));
    for (const exportUntil of ['2026-01-04T00:00:00.000Z', '2026-01-04T00:00:00.000Z', '2026-01-04T00:00:00.000Z']) {
      await lastValueFrom(again.keepUp({ ...NONE, exportFolder, exportUntil }), { defaultValue: undefined });
    }
    expect(await count(again, all)).toEqual({ n: 2010, ids: 2010 });
    expect(await count(again, `${all} WHERE level = 'ERROR' AND date = '2026-01-02'`)).toEqual({ n: 500, ids: 500 });
    again.close();
  });

  it('removes what is older, but nothing that is still to be exported, and uses its room again', async () => {
    const database = await open();
    const size = (): number => statSync(place().path('store.duckdb')).size;
    const keepUp = (upkeep: object): Promise<unknown> =>
      lastValueFrom(database.keepUp({ ...NONE, ...upkeep }), { defaultValue: undefined });
    await write(database, rowsOf('2026-01-01T00:00:00.000Z', 0, 400_000));
    await keepUp({ exportFolder: place().path('parquet'), removeBefore: '2026-01-01T12:00:00.000Z' });
    expect(await count(database, 'events')).toEqual({ n: 400_000, ids: 400_000 });
    const sizes: number[] = [];
    for (let day = 2; day <= 6; day++) {
      await write(database, rowsOf(`2026-01-0${day}T00:00:00.000Z`, day * 1_000_000, 400_000));
      await keepUp({ removeBefore: `2026-01-0${day}T00:00:00.000Z` });
      sizes.push(size());
    }
    expect(await count(database, 'events')).toEqual({ n: 400_000, ids: 400_000 });
    console.log(`sizes in MB: ${sizes.map((bytes) => (bytes / 1e6).toFixed(1)).join(' ')}`);
    // The room of one cycle is the next one's: the file may go up and down, but it does not grow.
    expect(sizes.at(-1)).toBeLessThan(Math.max(...sizes.slice(0, 2)) * 1.5);
    database.close();
  });
});
