import { concat, defer, EMPTY, lastValueFrom, NEVER, of, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { refusedTo } from '../../src/flow/refused-to.js';
import { MillraceError } from '../../src/model/errors.js';
import type { Json } from '../../src/model/json.js';
import type { Delivery, Receipt, Sink, SinkResource } from '../../src/model/sink.js';
import { receiptFor, RecordingSink, resourceOf } from '../../src/testing/recording-sink.js';
import { marbles } from '../marbles.js';

const reason = new MillraceError('MILLRACE_E_FILE_IO');

/** Refuses what is written in capitals. */
function picky({ items }: Delivery<string>): Receipt<string> {
  const refused = items.filter((item) => item === item.toUpperCase());
  return {
    delivered: items.length - refused.length,
    duplicates: 0,
    refused: refused.map((item) => ({ item, reason })),
  };
}

function deliveryOf(letters: string): Delivery<string> {
  return { lane: 'l', position: letters.length, items: Array.from(letters) };
}

function opened(first: SinkResource<string>, second: SinkResource<string>, saved?: Json): Sink<string> {
  let sink: Sink<string> | undefined;
  refusedTo(first, second)
    .open({ pipeline: 'p', leg: 'l', saved, save: NEVER, report: () => undefined })
    .subscribe((open) => (sink = open));
  return sink!;
}

describe('refusedTo', () => {
  it(
    'answers when the second has what the first refused',
    marbles(({ cold, expectObservable }) => {
      const first = '    --(a|)';
      const second = '   ---(b|)';
      const expected = ' -----(r|)';
      const one = new RecordingSink<string>((delivery) => cold(first, { a: picky(delivery) }));
      const other = new RecordingSink<string>((delivery) => cold(second, { b: receiptFor(delivery) }));
      const sink = opened(resourceOf(one), resourceOf(other));
      expectObservable(sink.deliver(deliveryOf('aBcD'))).toBe(expected, {
        r: { delivered: 4, duplicates: 0, refused: [] },
      });
    }),
  );

  it('does not bother the second when nothing was refused', async () => {
    const other = new RecordingSink<string>();
    const sink = opened(resourceOf(new RecordingSink<string>((all) => of(picky(all)))), resourceOf(other));
    expect(await lastValueFrom(sink.deliver(deliveryOf('ab')))).toEqual({ delivered: 2, duplicates: 0, refused: [] });
    expect(other.deliveries).toEqual([]);
  });

  it('a delivery that is tried again because the second failed does not reach the first again', async () => {
    const one = new RecordingSink<string>((all) => of(picky(all)));
    const other = new RecordingSink<string>((all, at): Observable<Receipt<string>> =>
      at === 0 ? throwError(() => reason) : of(receiptFor(all)),
    );
    const sink = opened(resourceOf(one), resourceOf(other));
    const delivery = deliveryOf('aB');
    await expect(lastValueFrom(sink.deliver(delivery))).rejects.toBe(reason);
    expect(await lastValueFrom(sink.deliver(delivery))).toEqual({ delivered: 2, duplicates: 0, refused: [] });
    expect(one.deliveries).toHaveLength(1);
    expect(other.deliveries.map(({ items }) => items)).toEqual([['B'], ['B']]);
  });

  it('what the second refuses is refused', async () => {
    const sink = opened(
      resourceOf(new RecordingSink<string>((all) => of(picky(all)))),
      resourceOf(new RecordingSink<string>((all) => of(picky(all)))),
    );
    const receipt = await lastValueFrom(sink.deliver(deliveryOf('aBc')));
    expect(receipt).toEqual({ delivered: 2, duplicates: 0, refused: [{ item: 'B', reason }] });
  });

  it('each gets back what it captured, and both are synced', async () => {
    const seen: unknown[] = [];
    const synced: string[] = [];
    const resource = (name: string): SinkResource<string> => ({
      name,
      open: ({ saved }) => {
        seen.push([name, saved]);
        const sync: Observable<never> = defer(() => {
          synced.push(name);
          return EMPTY;
        });
        return concat(
          of({ deliver: (all: Delivery<string>) => of(receiptFor(all)), capture: () => ({ state: name, sync }) }),
          NEVER,
        );
      },
    });
    const { state, sync } = opened(resource('one'), resource('other')).capture!(new Map());
    await lastValueFrom(sync, { defaultValue: undefined });
    expect(synced).toEqual(['one', 'other']);
    opened(resource('one'), resource('other'), state);
    expect(seen).toEqual([
      ['one', undefined],
      ['other', undefined],
      ['one', 'one'],
      ['other', 'other'],
    ]);
  });

  it('each hears when its state is durable, and finishes', async () => {
    const heard: string[] = [];
    const resource = (name: string): SinkResource<string> =>
      resourceOf({
        deliver: (all) => of(receiptFor(all)),
        capture: () => ({ state: name, sync: EMPTY, saved: () => heard.push(`${name} saved`) }),
        finish: () =>
          defer(() => {
            heard.push(`${name} finished`);
            return EMPTY;
          }),
      });
    const sink = opened(resource('one'), resource('other'));
    sink.capture!(new Map()).saved!();
    await lastValueFrom(sink.finish!(), { defaultValue: undefined });
    expect(heard).toEqual(['one saved', 'other saved', 'one finished', 'other finished']);
  });
});
