import * as fc from 'fast-check';
import { lastValueFrom, NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Batch, Lane, LogRecord } from '../../src/model/batch.js';
import type { LogEvent } from '../../src/model/event.js';
import { filterFor, transform } from '../../src/flow/transform.js';
import { filterAhead } from '../../src/flow/way.js';
import type { EventOperator } from '../../src/flow/way.js';
import type { Condition } from '../../src/operators/condition.js';
import { drop } from '../../src/operators/drop.js';
import { keep } from '../../src/operators/keep.js';
import { normalize } from '../../src/operators/normalize.js';
import { parse } from '../../src/operators/parse.js';
import { sample } from '../../src/operators/sample.js';

const levels = ['INFO', 'info', 'WARN', 'Warning', 'ERROR', 'err', 'DEBUG', 'odd', '', ' ERROR '];
const line = fc.oneof(
  fc.array(fc.constantFrom(...levels, 'a', '2026-01-01T00:00:00Z'), { maxLength: 5 }).map((parts) => parts.join('|')),
  fc.constantFrom('', '  ', 'no separator', '||', '|ERROR|'),
);
const fieldsOfLine = fc.constantFrom(
  ['time', 'level', 'message'],
  ['level', 'message'],
  ['time', 'level'],
  ['level'],
  ['time', 'message'],
  ['log.level', 'level', 'message'],
  ['event.severity', 'level'],
);
const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ level: fc.subarray(['ERROR', 'warning', 'INFO'], { minLength: 1 }) }),
  fc.record({ minLevel: fc.constantFrom('DEBUG', 'WARN', 'fatal') }),
  fc.constant({ level: 'ERROR', field: 'message', contains: 'a' }),
  fc.constant({ field: 'message', gt: 1 }),
);
const { condition } = fc.letrec<{ condition: Condition }>((tie) => {
  const some = fc.array(tie('condition'), { minLength: 1, maxLength: 3 });
  return {
    condition: fc.oneof(
      { maxDepth: 2 },
      leaf,
      fc.record({ and: some }),
      fc.record({ or: some }),
      fc.record({ not: fc.oneof(tie('condition'), some) }),
    ),
  };
});
const laneFields = fc.constantFrom<Record<string, unknown>>({}, { 'event.severity': 17 }, { 'log.level': 'ERROR' });

interface Case {
  readonly lines: readonly string[];
  readonly stages: readonly EventOperator[];
  readonly fields: Readonly<Record<string, unknown>>;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    lines: fc.array(line, { maxLength: 12 }),
    names: fieldsOfLine,
    isNormal: fc.boolean(),
    share: fc.constantFrom(undefined, 0.5),
    isKept: fc.boolean(),
    condition,
    fields: laneFields,
  })
  .map(({ lines, names, isNormal, share, isKept, condition: asked, fields }) => ({
    lines,
    fields,
    stages: [
      parse({ format: 'delimited', separator: '|', fields: names }),
      ...(isNormal ? [normalize()] : []),
      ...(share === undefined ? [] : [sample({ share })]),
      isKept ? keep(asked) : drop(asked),
    ],
  }));

const routes = [{ name: 'all', stages: [] }];

/** As a source does that asks the filter about each line of a text. */
function batchOf({ lines, stages, fields }: Case, isAsked: boolean): Batch {
  const isFiltered = isAsked ? filterFor(stages, routes)(fields) : undefined;
  const text = lines.join('\n');
  const records: LogRecord[] = [];
  let from = 0;
  lines.forEach((line, offset) => {
    if (isFiltered?.(text, from, from + line.length) !== true) records.push({ offset, text: line });
    from += line.length + 1;
  });
  return { records, filtered: lines.length - records.length, position: lines.length, bytes: 1, state: null };
}

async function outcome(given: Case, isAsked: boolean): Promise<unknown> {
  const { stages, fields, lines } = given;
  const lane: Lane = { id: 'lane', position: 0, state: null, fields, batches: NEVER, revoked: NEVER };
  const done = await lastValueFrom(transform(stages, routes)(lane, batchOf(given, isAsked)));
  expect(done.read).toBe(lines.length);
  const shown = ({ id, fields: own }: LogEvent): unknown => [id, own];
  return {
    events: done.routes[0]!.events.map(shown),
    filtered: done.common.filteredCount,
    dead: done.common.deadLetters.map(({ record, reason }) => [record.offset, reason.message]),
  };
}

describe('filterAhead', () => {
  it('filters ahead exactly what the stages would have filtered', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (given) => {
        expect(await outcome(given, true)).toEqual(await outcome(given, false));
      }),
      { numRuns: 500 },
    );
  });

  it('knows by its level that a line will be filtered', () => {
    const parsed = parse({ format: 'delimited', separator: '|', fields: ['time', 'level', 'message'] });
    const isFiltered = filterAhead([parsed, normalize(), keep({ level: 'ERROR' })], {});
    const texts = ['t|INFO|m', 't|info|m', 't| INFO |m', 't|ERROR|m', 't|odd|m', 't|INFO'];
    expect(texts.map((text) => isFiltered?.(text, 0, text.length))).toEqual([true, true, true, false, false, false]);
    expect(filterAhead([parsed, keep({ level: 'ERROR' })], { 'log.level': 'ERROR' })).toBeUndefined();
  });

  it('looks at a text of many lines without a separator once', () => {
    const line = 'x'.repeat(99);
    const text = `${Array.from({ length: 30_000 }, () => line).join('\n')}\nt|INFO|m`;
    const isFiltered = filterAhead(
      [parse({ format: 'delimited', separator: '|', fields: ['time', 'level', 'message'] }), keep({ level: 'ERROR' })],
      {},
    );
    const asked = performance.now();
    const found: number[] = [];
    for (let from = 0; from < text.length; from += 100) {
      if (isFiltered?.(text, from, Math.min(from + 99, text.length)) === true) found.push(from);
    }
    expect(found).toEqual([3_000_000]);
    // Searched anew for each line it would be 45 GB.
    expect(performance.now() - asked).toBeLessThan(2000);
  });
});
