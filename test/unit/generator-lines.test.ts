import { describe, expect, it } from 'vitest';
import { severityOf } from '../../src/model/severity.js';
import { drawFor, hash32 } from '../../src/sources/generator/chance.js';
import { generatedLine } from '../../src/sources/generator/lines.js';
import type { LineStyle } from '../../src/sources/generator/lines.js';

const style: LineStyle = {
  seed: 42,
  format: 'delimited',
  anomaly: false,
  startedAt: Date.parse('2026-03-09T10:11:12.345Z'),
  rate: 100,
};

function lines(change: Partial<LineStyle> = {}, count = 4096): string[] {
  return Array.from({ length: count }, (_, index) => generatedLine({ ...style, ...change }, index));
}

function duration(line: string): number {
  return Number(/durationMs=(\d+)/.exec(line)?.[1] ?? 0);
}

describe('generatedLine', () => {
  it('is the same at the same index, wherever one begins', () => {
    const all = lines();
    for (const index of [4095, 17, 2048, 0]) expect(generatedLine({ ...style }, index)).toBe(all[index]);
    expect(lines({ seed: 43 })).not.toEqual(all);
  });

  it('goes on beyond 32 bits', () => {
    const far = [0, 1, 2].map((n) => generatedLine(style, 2 ** 40 + n * 2 ** 32));
    expect(new Set(far.map((line) => line.slice(line.indexOf('traceId')))).size).toBe(3);
  });

  it('delimited: time|level|message, or a frame of a stack trace after an ERROR', () => {
    let last = '';
    for (const line of lines()) {
      if (line.startsWith('    at ')) {
        expect(line).toMatch(/^ {4}at [\w.$/]+\(\w+\.java:\d+\)$/);
        expect(last).toMatch(/^ {4}at |\|ERROR\|payment: unhandled /);
      } else {
        const [time = '', level = '', ...message] = line.split('|');
        expect(new Date(time).toISOString()).toBe(time);
        expect(severityOf(level)).toBeDefined();
        expect(message.join('|')).not.toBe('');
      }
      last = line;
    }
    expect(last).toContain(new Date(style.startedAt + 40_950).toISOString());
  });

  it('is mostly INFO; every other level occurs', () => {
    const all = lines({}, 60_000);
    const count = (level: string): number => all.filter((line) => line.includes(`|${level}|`)).length;
    expect(count('INFO')).toBeGreaterThan(40_000);
    for (const level of ['DEBUG', 'WARN', 'ERROR', 'FATAL']) expect(count(level)).toBeGreaterThan(0);
    expect(count('FATAL')).toBeLessThan(60);
  });

  it('tells of an outage from the first timeout to the recovery', () => {
    const all = lines({}, 1024);
    const at = (text: string): number => all.findIndex((line) => line.includes(text));
    const story = ['exhausted', 'first of many', 'CLOSED -> OPEN', 'OPEN -> CLOSED, recovered'].map(at);
    expect(story).not.toContain(-1);
    expect(story).toEqual([...story].sort((a, b) => a - b));
    const during = all.slice(story[1], story[3]).filter((line) => !line.startsWith(' '));
    expect(during.filter((line) => line.includes('|ERROR|')).length / during.length).toBeGreaterThan(0.4);
    const before = all.slice(0, story[0]).filter((line) => line.includes('|ERROR|'));
    expect(before.length / (story[0] ?? 1)).toBeLessThan(0.1);
  });

  it('json: one object a line, a stack trace in a field', () => {
    const all = lines({ format: 'json' }).map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const each of all) {
      expect(Object.keys(each).slice(0, 6)).toEqual(['time', 'level', 'message', 'service', 'durationMs', 'traceId']);
      expect(each.traceId).toMatch(/^[0-9a-f]{16}$/);
    }
    const traced = all.filter((each) => each.stackTrace !== undefined);
    expect(traced.length).toBeGreaterThan(0);
    for (const { level, stackTrace } of traced) {
      expect(level).toBe('ERROR');
      expect(stackTrace).toContain('\n    at ');
    }
  });

  it('apache: the combined format', () => {
    const combined =
      /^[\d.]+ - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "(?:GET|POST) \S+ HTTP\/1\.1" \d{3} (?:\d+|-) "[^"]+" "[^"]+"$/;
    for (const line of lines({ format: 'apache' })) expect(line).toMatch(combined);
    expect(generatedLine({ ...style, format: 'apache' }, 0)).toContain('[09/Mar/2026:10:11:12 +0000]');
  });

  it('anomaly: 20 times as slow for a while, and 20 times the traffic', () => {
    const calm = lines({}, 2000);
    const upset = lines({ anomaly: true }, 2000);
    expect(Math.max(...calm.map(duration))).toBeLessThanOrEqual(500);
    const slow = upset.filter((line, index) => duration(line) === 20 * duration(calm[index]!) && duration(line) > 0);
    expect(slow.length).toBeGreaterThan(30);
    const figures = upset.map((line) => Number(/requestsPerMinute=(\d+)/.exec(line)?.[1] ?? 0));
    expect(Math.max(...figures)).toBeGreaterThan(16_000);
    expect(Math.max(...calm.map((line) => Number(/requestsPerMinute=(\d+)/.exec(line)?.[1] ?? 0)))).toBeLessThan(1_300);
  });
});

describe('hash32', () => {
  it('spreads neighbours evenly', () => {
    const buckets = new Array<number>(16).fill(0);
    for (let index = 0; index < 16_000; index++) {
      const bucket = hash32(1, index, 7) % 16;
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('gives draws below their limit', () => {
    const draw = drawFor(9, 99);
    for (let salt = 0; salt < 1000; salt++) {
      expect(draw(salt, 6)).toBeLessThan(6);
      expect(draw(salt, 6)).toBeGreaterThanOrEqual(0);
    }
  });
});
