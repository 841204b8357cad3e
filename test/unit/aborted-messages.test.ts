import { expect, it } from 'vitest';
import { hideAborted } from '../../src/service/kafka/aborted-messages.js';
import type { RawMessage } from '../../src/service/kafka/aborted-messages.js';

const text = (offset: number, producerId: string, key = Buffer.from('k'), inTransaction = true): RawMessage => ({
  offset: String(offset),
  isControlRecord: false,
  key,
  batchContext: { producerId, inTransaction },
});

const marker = (offset: number, producerId: string, type: 'abort' | 'commit'): RawMessage => ({
  ...text(offset, producerId, Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1])),
  isControlRecord: true,
});

/** The offsets that are left; `aborted`: producer and first offset of each transaction. */
function leftOf(messages: readonly RawMessage[], aborted: readonly (readonly [string, number])[]): number[] {
  hideAborted(
    messages,
    aborted.map(([producerId, first]) => ({ producerId, firstOffset: String(first) })),
  );
  return messages.filter(({ isControlRecord }) => !isControlRecord).map(({ offset }) => Number(offset));
}

it('leaves out what was aborted, also when several transactions began before the fetch', () => {
  const messages = [text(10, 'b'), text(11, 'a'), text(12, 'c'), marker(13, 'a', 'abort'), marker(14, 'b', 'abort')];
  const aborted = [['a', 2] as const, ['b', 3] as const];
  expect(leftOf(messages, aborted)).toEqual([12]);
});

it('takes up again what a producer commits after it has aborted', () => {
  const messages = [
    text(1, 'a'),
    marker(2, 'a', 'abort'),
    text(3, 'a'),
    marker(4, 'a', 'commit'),
    text(5, 'a'),
    marker(6, 'a', 'abort'),
  ];
  const aborted = [['a', 5] as const, ['a', 1] as const];
  expect(leftOf(messages, aborted)).toEqual([3]);
});

it('a key that looks like a marker is none, and what is outside of transactions stays', () => {
  const messages = [text(1, 'a', Buffer.alloc(4)), text(2, 'a'), text(3, 'a', Buffer.from('k'), false)];
  expect(leftOf(messages, [['a', 1]])).toEqual([3]);
  expect(leftOf([text(1, 'a')], [])).toEqual([1]);
});
