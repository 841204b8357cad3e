import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { fields } from '../../src/operators/fields.js';
import type { FieldsConfig } from '../../src/operators/fields.js';
import { placeOf } from '../../src/testing/place-of.js';
import { standingCases } from './standing-cases.js';

function changed(config: FieldsConfig, own: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  let result: Readonly<Record<string, unknown>> = {};
  of(placeOf({ from: 'origin' }).event(own))
    .pipe(fields(config))
    .subscribe((event) => (result = event.fields));
  return result;
}

describe('fields', () => {
  standingCases(() => fields({ set: { a: 1 } }), 'text');

  it('renames, then removes, then sets', () => {
    expect(changed({ rename: { a: 'b' }, remove: ['b'], set: { c: 1 } }, { a: 'x', d: 2 })).toEqual({ c: 1, d: 2 });
    expect(changed({ rename: { a: 'b' } }, { a: 'x', b: 'y' })).toEqual({ b: 'x' });
    expect(changed({ remove: ['a'], set: { a: null } }, { a: 'x' })).toEqual({ a: null });
  });

  it('exchanges names, and leaves what is not there alone', () => {
    expect(changed({ rename: { a: 'b', b: 'a' } }, { a: 1, b: 2 })).toEqual({ a: 2, b: 1 });
    expect(changed({ rename: { a: 'a' } }, { a: 1 })).toEqual({ a: 1 });
    expect(changed({ rename: { no: 'b' }, remove: ['neither'] }, { a: 1, b: 2 })).toEqual({ a: 1, b: 2 });
  });

  it('changes nothing about who the event is', () => {
    const place = placeOf();
    const event = place.raw('x').nth(2);
    of(event)
      .pipe(fields({ set: { a: 1 } }))
      .subscribe((each) => expect([each.id, each.origin, each.record]).toEqual([event.id, event.origin, event.record]));
    expect(event.fields).toEqual({ message: 'x' });
    expect(place.counts).toBe('0/0/0');
  });
});
