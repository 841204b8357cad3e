import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** What an entry needs beside rxjs when it is imported. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  millrace: [],
  'millrace/stages': [],
  'millrace/flow': [],
  'millrace/kafka': ['zod'],
  'millrace/elasticsearch': ['zod'],
  'millrace/duckdb': ['zod'],
  'millrace/tail': ['zod', 'tail', 'tinyglobby'],
  'millrace/local': ['zod', 'tinyglobby'],
};

/** A program that imports from the entry and subscribes to what `use` says; prints the error. */
const program = (entry: string, use: string): string => `
  import * as all from '${entry}';
  const context = { pipeline: 'p', leg: 'l', saved: undefined, report: () => undefined };
  const used = ${use};
  used?.subscribe({ error: (error) => console.log(error.code, error.message, error.cause?.message) });
`;

describe.each(Object.entries(NEEDS))('import %s', (entry, packages) => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-entry-'));
    const modules = join(folder, 'node_modules');
    mkdirSync(join(modules, 'millrace'), { recursive: true });
    for (const part of ['dist', 'package.json']) {
      cpSync(join(root, part), join(modules, 'millrace', part), { recursive: true });
    }
    for (const name of ['rxjs', ...packages]) symlinkSync(join(root, 'node_modules', name), join(modules, name));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const play = async (use: string): Promise<string> => {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program(entry, use)], { cwd: folder });
    return stdout;
  };

  it(`loads ${['rxjs', ...packages].join(', ')} and nothing else`, async () => {
    expect(await play('console.log(Object.keys(all).length > 0)')).toBe('true\n');
  });

  it.each(packages)('and needs %s', async (name) => {
    const path = join(folder, 'node_modules', name);
    rmSync(path);
    await expect(play('undefined')).rejects.toThrow(`Cannot find package '${name}'`);
    symlinkSync(join(root, 'node_modules', name), path);
  });

  const client: Readonly<Record<string, readonly [use: string, said: RegExp]>> = {
    'millrace/kafka': [
      "all.kafkaSink({ brokers: ['localhost:1'], topic: 't' }).open(context)",
      /Cannot find package '(kafkajs|@node-rs\/crc32)'/,
    ],
    'millrace/elasticsearch': [
      "all.elasticsearchSink({ nodes: ['http://localhost:1'] }).open(context)",
      /Cannot find package '@elastic\/elasticsearch'/,
    ],
    'millrace/duckdb': ["all.duckdbSink({ path: 'store.duckdb' }).open(context)", /^MILLRACE_E_STORE_PACKAGE/],
  };
  const [use, said] = client[entry] ?? [];
  it.runIf(use !== undefined)('loads its client when it is used', async () => {
    expect(await play(use!)).toMatch(said!);
  });
});
