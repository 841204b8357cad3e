import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
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
    const options = { cwd: root, env: { ...process.env, OUT: out }, encoding: 'utf8', maxBuffer: 1 << 26 } as const;
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

  it('all eight are in one store by one configuration, right, and found by searches', () => {
    const main = join(root, 'dist/main.js');
    const options = { cwd: root, env: { ...process.env, OUT: out }, encoding: 'utf8', maxBuffer: 1 << 26 } as const;
    execFileSync(process.execPath, [main, 'run', 'test/loghub/all.yaml', '--once'], options);
    // Linux's Level column holds the host, OpenSSH has none.
    for (const name of ['Zookeeper', 'Hadoop', 'HDFS', 'Apache', 'Spark', 'OpenStack', 'Linux', 'OpenSSH']) {
      const truth = join(shared, `data/loghub/${name}_2k.log_structured.csv`);
      const columns = ['Content=message', ...(['Linux', 'OpenSSH'].includes(name) ? [] : ['Level=log.level'])];
      const scorer = join(shared, 'score/field_accuracy.py');
      const score = execFileSync('python3', [scorer, truth, join(out, `${name}.ndjson`), ...columns], options);
      for (const line of score.trim().split('\n')) {
        expect(Number(line.split(' ').at(-1)), `${name} ${line}`).toBeGreaterThanOrEqual(0.99);
      }
    }
    const search = (...args: string[]): string[] =>
      execFileSync(process.execPath, [main, 'search', '--store', join(out, 'loghub.duckdb'), ...args], options)
        .trim()
        .split('\n');
    expect(search('--limit', '0', '--json')).toHaveLength(16_000);
    const failures = search('authentication failure', '--where', 'service.name=linux', '--limit', '0', '--json');
    const inFile = readFileSync(join(shared, 'data/loghub/Linux_2k.log'), 'utf8').split('\n');
    expect(failures).toHaveLength(inFile.filter((line) => line.includes('authentication failure')).length);
    const errors = search('--level', 'error', '--count', 'service.name').map((line) =>
      line.trim().split(/\s+/).slice(0, 2),
    );
    expect(errors[0]).toEqual(['apache', '595']);
    expect(errors.map(([service]) => service)).toEqual(['apache', 'hadoop', 'zookeeper']);
    const inAnHour = ['--since', '2008-11-09T20:00:00Z', '--until', '2008-11-09T21:00:00Z', '--limit', '0', '--json'];
    expect(search('--where', 'service.name=hdfs', ...inAnHour).length).toBeGreaterThan(0);
  });
});
