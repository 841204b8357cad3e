import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { placeForEachTest, until, within } from './harness.js';
import { createSchema } from '../../src/sinks/duckdb/sql.js';
import { ask } from './stored.js';

const place = placeForEachTest();

const config = (name: string, more = ''): string => `name: ${name}
source: { tail: { paths: ["logs/${name}.log"], fields: { log_type: app } } }
stages: [{ parse: { format: json } }, { normalize: {} }]
routes:
  - { name: all, to: { duckdb: { path: data/store.duckdb${more} } } }
`;

describe('the store', () => {
  it('has each event once, over restarts and from several pipelines', async () => {
    place().write('pipeline.yaml', `${config('a')}---\n${config('b')}`);
    place().write('logs/a.log', '{"time":"2026-01-02T03:04:05.123456Z","level":"warn","message":"one","user":"x"}\n');
    place().write(
      'logs/b.log',
      '{"level":"INFO","message":"two","http.response.status_code":404}\n{"http.response.status_code":"?"}\n',
    );
    expect((await place().once()).summary).toMatchObject({ read: 3, delivered: 3 });
    place().append(place().path('logs/a.log'), '{"message":"three"}\n');
    expect((await place().once()).code).toBe(0);
    const rows = await ask(
      place().path('data/store.duckdb'),
      `SELECT "@timestamp", "log.level", "event.severity", message, pipeline, route, fields, "log.file.path", "http.response.status_code" AS status
       FROM events ORDER BY pipeline, ingested, "event.severity" NULLS LAST`,
    );
    expect(rows).toMatchObject([
      {
        '@timestamp': '2026-01-02 03:04:05.123456',
        'log.level': 'warn',
        'event.severity': 13,
        message: 'one',
        pipeline: 'a',
        route: 'all',
        fields: '{"user":"x","log_type":"app"}',
        'log.file.path': place().path('logs/a.log'),
        status: null,
      },
      { message: 'three', pipeline: 'a' },
      { message: 'two', pipeline: 'b', status: '404' },
      { message: null, pipeline: 'b', status: null, fields: '{"http.response.status_code":"?","log_type":"app"}' },
    ]);
  });

  it('keeps a million field names in one column', async () => {
    place().write('pipeline.yaml', config('a'));
    const fields = (n: number): string => Array.from({ length: 50 }, (_, at) => `"f${n * 50 + at}":${at}`).join(',');
    place().write('logs/a.log', Array.from({ length: 20_000 }, (_, n) => `{"message":"m",${fields(n)}}\n`).join(''));
    expect((await place().once()).summary).toMatchObject({ read: 20_000, delivered: 20_000 });
    const path = place().path('data/store.duckdb');
    const [columns] = await ask(path, "SELECT count(*)::INT AS n FROM pragma_table_info('events')");
    expect(columns).toEqual({ n: 10 });
    const { stdout } = await place().run(['search', '--store', 'data/store.duckdb', '--where', 'f777777=27', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ message: 'm', f777777: 27, f777799: 49 });
  });

  it('goes on with one that was made with row groups of another size', async () => {
    const path = place().path('old.duckdb');
    const created = createSchema.map((each) => each.replaceAll(' USING COMPRESSION zstd', '')).join(';');
    await ask(
      path,
      `${created}; INSERT INTO events ("event.id", message) SELECT 'old:' || n, 'old' FROM range(200000) t(n)`,
    );
    place().write('pipeline.yaml', config('a').replace('data/store.duckdb', 'old.duckdb'));
    place().write('logs/a.log', '{"message":"new"}\n'.repeat(70_000));
    expect((await place().once()).summary).toMatchObject({ delivered: 70_000 });
    const counts = await ask(
      path,
      'SELECT message, count(DISTINCT "event.id")::INT AS n FROM events GROUP BY 1 ORDER BY 1',
    );
    expect(counts).toEqual([
      { message: 'new', n: 70_000 },
      { message: 'old', n: 200_000 },
    ]);
  });

  it('is read by its owner and the group only, with everything that lies beside it', async () => {
    place().write('pipeline.yaml', config('a', `, export: { path: out/parquet, maxBytes: 1024 }`));
    place().write('logs/a.log', '{"message":"one"}\n'.repeat(500));
    const running = place().start(['run', 'pipeline.yaml']);
    const parquet = (): string[] =>
      existsSync(place().path('out')) ? readdirSync(place().path('out'), { recursive: true }).map(String) : [];
    await until('rows are exported', () => parquet().some((name) => name.endsWith('.parquet')));
    place().append(place().path('logs/a.log'), '{"message":"two"}\n');
    const names = (): string[] => readdirSync(place().path('data'));
    await until('there is a log of writes', () => names().includes('store.duckdb.wal'));
    const files = [...names().map((name) => `data/${name}`), ...parquet().map((name) => `out/${name}`)];
    // What is being exported may be renamed meanwhile.
    const forOthers = files.filter(
      (name) => ((statSync(place().path(name), { throwIfNoEntry: false })?.mode ?? 0) & 0o027) !== 0,
    );
    running.kill('SIGTERM');
    expect((await within(20_000, 'the end', running.ended)).code).toBe(0);
    expect(files).toContain('data/store.duckdb');
    expect(forOthers).toEqual([]);
  });

  it('skips what it has when the checkpoint is older', async () => {
    place().write('pipeline.yaml', config('a'));
    place().write('logs/a.log', '{"message":"one"}\n');
    await place().once();
    const [checkpoint, store] = [place().path('data/a.checkpoint'), place().path('data/store.duckdb')];
    const before = readFileSync(checkpoint);
    place().append(place().path('logs/a.log'), '{"message":"two"}\n'.repeat(500));
    expect((await place().once()).summary).toMatchObject({ read: 500, delivered: 500 });
    writeFileSync(checkpoint, before);
    place().append(place().path('logs/a.log'), '{"message":"three"}\n');
    expect((await place().once()).summary).toMatchObject({ read: 501, delivered: 1, duplicates: 500 });
    expect(await ask(store, 'SELECT count(*) AS n, count(DISTINCT "event.id") AS ids FROM events')).toEqual([
      { n: '502', ids: '502' },
    ]);
  });
});
