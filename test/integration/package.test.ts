import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as millrace from '../../src/index.js';
import { nodes, packedInto, root, Unpacked } from './unpacked.js';

const MAX_GZIP_BYTES = 3000;

const packed = mkdtempSync(join(tmpdir(), 'millrace-tarball-'));
let tarball = '';
let newest: Unpacked;
let lowest: Unpacked;

beforeAll(() => {
  tarball = packedInto(packed);
  newest = new Unpacked(tarball, 'rxjs');
  lowest = new Unpacked(tarball, 'rxjs-lowest');
});

afterAll(() => {
  newest.remove();
  lowest.remove();
  rmSync(packed, { recursive: true, force: true });
});

/** The blocks of the README that begin with `// NAME.mjs`. */
function programs(): Map<string, string> {
  const blocks = readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```js\n\/\/ (\w+\.mjs)([^]*?)```/g);
  return new Map([...blocks].map(([, name = '', text = '']) => [name, `//${text}`]));
}

const names = Object.keys(millrace).sort().join();

describe.each(nodes().map((node) => [node]))('the packed package on %s', (node) => {
  it.each([['import * as all from "millrace"'], ['const all = require("millrace")']])('%s', async (line) => {
    const isImport = line.startsWith('import');
    const path = newest.write(isImport ? 'a.mjs' : 'a.cjs', `${line}; console.log(Object.keys(all).sort().join());`);
    const { stdout, stderr } = await newest.run(node, path);
    expect(
      stdout
        .trim()
        .split(',')
        .filter((name) => name !== 'module.exports' && name !== '__esModule')
        .join(),
    ).toBe(names);
    expect(stderr.replace(/^.*ExperimentalWarning[^]*?\n\(Use.*\n/, '')).toBe('');
  });

  it.each([['newest'], ['lowest']] as const)('runs the examples of the README with the %s rxjs', async (which) => {
    const place = which === 'newest' ? newest : lowest;
    const all = programs();
    expect([...all.keys()]).toEqual(['retry.mjs', 'batch.mjs', 'alert.mjs']);
    const run = (name: string, ...args: string[]) => place.run(node, place.write(name, all.get(name)!), ...args);

    let asked = 0;
    const server = createServer((_, response) => {
      response.statusCode = ++asked < 3 ? 503 : 200;
      response.end(asked < 3 ? 'busy' : 'hello');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const retried = await run('retry.mjs', url);
    expect(retried.stdout).toBe('hello\n');
    expect(retried.stderr.match(/HTTP 503: again in \d+ ms/g)).toHaveLength(2);
    asked = -1000;
    expect(await run('retry.mjs', url)).toMatchObject({
      stdout: '',
      stderr: expect.stringContaining('MILLRACE_E_RETRY_EXHAUSTED'),
    });
    await new Promise((done) => server.close(done));

    const lines = Array.from({ length: 3050 }, (_, n) => `line ${n}\n`).join('');
    const { stdout } = await run('batch.mjs', place.write('lines.txt', lines));
    const counts = [...stdout.matchAll(/INSERT of (\d+) rows/g)].map(([, count]) => Number(count));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(3050);
    expect(counts[0]).toBe(200);
    expect(stdout).toMatch(/done\n$/);

    expect((await run('alert.mjs')).stdout.split('\n')).toEqual([
      '20 s: web-1 normal → pending',
      '40 s: web-1 pending → alerting',
      '80 s: web-1 alerting → normal',
      '',
    ]);
  });

  it.each([['newest'], ['lowest']] as const)('lets somebody test a sink of his own with the %s rxjs', async (which) => {
    const place = which === 'newest' ? newest : lowest;
    const sinkTest = (deliver: string): string => `
      import test from 'node:test';
      import { of, timer, concatMap } from 'rxjs';
      import { keep, parse } from 'millrace/stages';
      import { enumerateCrashes, marbles, receiptFor, resourceOf } from 'millrace/testing';
      test('my sink loses nothing', () => {
        enumerateCrashes({
          lanes: { app: ['ERROR|a', 'INFO|b', 'ERROR|c', 'ERROR|d', 'ERROR|e', 'ERROR|f', 'INFO|g', 'ERROR|h'] },
          world: () => new Map(),
          pipeline: ({ world, call, clock }) => {
            const insert = (items) => items.forEach((event) => world.set(event.id, event.get('message')));
            return {
              stages: [parse({ format: 'delimited', separator: '|', fields: ['level', 'message'] }), keep({ level: ['ERROR'] })],
              routes: [{ name: 'mine', stages: [], to: [resourceOf({ deliver: (delivery) => ${deliver} })] }],
            };
          },
          outcome: (world) => [...world.values()],
          expected: ['a', 'c', 'd', 'e', 'f', 'h'],
          promise: 'exactlyOnce',
          orderedBy: () => 'all',
        });
      });
      test('a picture', marbles(({ cold, expectObservable }) => {
        expectObservable(cold('-a|').pipe(concatMap((a) => timer(2)))).toBe('---(0|)', { 0: 0 });
      }));`;
    const honest = "call('insert', () => { insert(delivery.items); return receiptFor(delivery); })";
    const early =
      "{ timer(1, clock).pipe(concatMap(() => call('insert', () => insert(delivery.items)))).subscribe(); return of(receiptFor(delivery)); }";
    const good = await place.run(node, '--test', place.write('good.test.mjs', sinkTest(honest)));
    expect(good.stdout).toMatch(/pass 2\n/);
    expect(good.code).toBe(0);
    const bad = await place.run(node, '--test', place.write('bad.test.mjs', sinkTest(early)));
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/lost: [a-h]\n/);
    expect(bad.stdout).toMatch(/pass 1\n/);
  });
});

describe('a bundler', () => {
  /** What a bundle has that exports these names, without rxjs, in bytes after gzip. */
  async function gzipBytes(exported: string): Promise<number> {
    const entry = newest.write('entry.mjs', `export ${exported} from 'millrace';`);
    const result = await build({
      root: newest.folder,
      configFile: false,
      logLevel: 'silent',
      build: {
        write: false,
        minify: true,
        lib: { entry, formats: ['es'] },
        rolldownOptions: { external: /^rxjs/ },
      },
    });
    const [bundle] = result as { output: { type: string; code: string }[] }[];
    expect(bundle!.output).toHaveLength(1);
    return gzipSync(bundle!.output[0]!.code).length;
  }

  it('leaves out what is not used: no operator brings more than 3 kB beside the catalogue of errors', async () => {
    const sizes = new Map<string, number>();
    for (const name of Object.keys(millrace)) sizes.set(name, await gzipBytes(`{ ${name} }`));
    console.info(
      [...sizes]
        .sort(([, a], [, b]) => b - a)
        .map(([name, bytes]) => `${name} ${bytes}`)
        .join(', '),
    );
    expect(sizes.get('batch')).toBeLessThan(MAX_GZIP_BYTES);
    const catalogue = sizes.get('MillraceError')!;
    expect([...sizes].filter(([, bytes]) => bytes - catalogue > MAX_GZIP_BYTES)).toEqual([]);
    expect(await gzipBytes('*')).toBeGreaterThan(3 * Math.max(...sizes.values()));
  });
});
