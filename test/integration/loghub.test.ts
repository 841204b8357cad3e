import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

// The data is beside the project where it is measured, and never part of it: https://github.com/logpai/loghub
const root = fileURLToPath(new URL('../..', import.meta.url));
const shared = join(root, '../shared');

describe.skipIf(!existsSync(shared))('real logs, by the configurations of test/loghub', () => {
  let out = '';
  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), 'millrace-loghub-'));
  });
  afterEach(() => {
    rmSync(out, { recursive: true });
  });

  it.each(['Zookeeper', 'Hadoop', 'HDFS', 'Apache'])('%s: level and content are right', (name) => {
    const main = join(root, 'dist/main.js');
    const options = { cwd: root, env: { ...process.env, OUT: out }, encoding: 'utf8' } as const;
    const summary = execFileSync(process.execPath, [main, 'run', `test/loghub/${name}.yaml`, '--once'], options);
    expect(JSON.parse(summary)).toMatchObject({ read: 2000, delivered: 2000, deadLettered: 0 });
    const truth = join(shared, `data/loghub/${name}_2k.log_structured.csv`);
    const scorer = join(shared, 'score/field_accuracy.py');
    const columns = ['Level=log.level', 'Content=message'];
    const score = execFileSync('python3', [scorer, truth, join(out, `${name}.ndjson`), ...columns], options);
    const [level, content, both] = score
      .trim()
      .split('\n')
      .map((line) => Number(line.split(' ').at(-1)));
    for (const share of [level, content, both]) expect(share).toBeGreaterThanOrEqual(0.99);
  });
});
