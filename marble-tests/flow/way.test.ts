import * as fc from 'fast-check';
import { lastValueFrom, NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Lane } from '../../src/model/batch.js';
import type { LogEvent } from '../../src/model/event.js';
import { transform } from '../../src/flow/transform.js';
import { wayOf } from '../../src/flow/way.js';
import type { EventOperator } from '../../src/flow/way.js';
import type { Condition } from '../../src/operators/condition.js';
import { drop } from '../../src/operators/drop.js';
import { keep } from '../../src/operators/keep.js';
import { normalize } from '../../src/operators/normalize.js';
import { parse } from '../../src/operators/parse.js';
import { stage } from '../../src/operators/stage.js';

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
const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ level: fc.subarray(['ERROR', 'warning', 'INFO'], { minLength: 1 }) }),
  fc.record({ minLevel: fc.constantFrom('DEBUG', 'WARN', 'fatal') }),
  fc.constant({ level: 'ERROR', field: 'message', contains: 'a' }),
);
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
    isKept: fc.boolean(),
    condition,
    fields: laneFields,
  })
  .map(({ lines, names, isNormal, isKept, condition: asked, fields }) => ({
    lines,
    fields,
    stages: [
      parse({ format: 'delimited', separator: '|', fields: names }),
      ...(isNormal ? [normalize()] : []),
      isKept ? keep(asked) : drop(asked),
    ],
  }));

async function outcome({ lines, stages, fields }: Case): Promise<unknown> {
  const lane: Lane = { id: 'lane', position: 0, state: null, fields, batches: NEVER, revoked: NEVER };
  const records = lines.map((text, offset) => ({ offset, text }));
  const batch = { records, position: lines.length, bytes: 1, state: null };
  const done = await lastValueFrom(transform(stages, [{ name: 'all', stages: [] }])(lane, batch));
  const shown = ({ id, fields: own }: LogEvent): unknown => [id, own];
  return {
    events: done.routes[0]!.events.map(shown),
    filtered: done.common.filteredCount,
    dead: done.common.deadLetters.map(({ record, reason }) => [record.offset, reason.message]),
  };
}

describe('wayOf', () => {
  it('filters ahead exactly what the stages would have filtered', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (given) => {
        // The same steps, but nothing known about them.
        const plain = given.stages.map((operator) => ('step' in operator ? stage(operator.step as never) : operator));
        expect(await outcome(given)).toEqual(await outcome({ ...given, stages: plain }));
      }),
      { numRuns: 500 },
    );
  });

  it('knows by its level that a line will be filtered', () => {
    const { isFiltered } = wayOf([
      parse({ format: 'delimited', separator: '|', fields: ['time', 'level', 'message'] }),
      normalize(),
      keep({ level: 'ERROR' }),
    ]);
    expect(['t|INFO|m', 't|info|m', 't|ERROR|m', 't|odd|m', 't|INFO'].map((text) => isFiltered?.(text))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
