import { existsSync, statSync } from 'node:fs';
import { expect, it } from 'vitest';
import { searchSocketPath } from '../../src/service/search-protocol.js';
import { placeForEachTest, until, within } from './harness.js';

const place = placeForEachTest();

const CONFIG = `name: app
source:
  tail: { paths: ["logs/*.log"] }
checkpoint: { path: data/app.checkpoint }
routes:
  - name: all
    to: { duckdb: { path: data/app.duckdb } }
`;
const LINES = 1000;

async function count(): Promise<unknown> {
  const sql = 'SELECT count(*) AS n FROM events';
  const { code, stdout, stderr } = await place().run(['search', '--config', 'pipeline.yaml', '--json', '--sql', sql]);
  if (code !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as { readonly n: unknown }).n;
}

it('a killed service leaves a socket that nobody minds: the file is read, and the next service replaces it', async () => {
  place().write('pipeline.yaml', CONFIG);
  place().write('logs/app.log', 'a line\n'.repeat(LINES));
  const socket = searchSocketPath(place().path('data/app.duckdb'));
  const inode = (): number | undefined => statSync(socket, { throwIfNoEntry: false })?.ino;
  const service = place().start(['run', 'pipeline.yaml']);
  await until('the socket', () => existsSync(socket));
  await within(
    30_000,
    'everything is stored',
    (async () => {
      while ((await count()) !== LINES);
    })(),
  );
  service.kill('SIGKILL');
  await service.ended;
  const left = inode();
  expect(left).toBeDefined();
  expect(await count()).toBe(LINES);
  const next = place().start(['run', 'pipeline.yaml']);
  await until('the new socket', () => inode() !== left);
  expect(await count()).toBe(LINES);
  next.kill('SIGTERM');
  expect(await within(30_000, 'the end', next.ended)).toMatchObject({ code: 0 });
  expect(existsSync(socket)).toBe(false);
});
