import { describe, expect, it } from 'vitest';
import { fetchedRecords } from '../../src/service/kafka/platformatic/fetched-records.js';

type Partition = Parameters<typeof fetchedRecords>[0];
type Batch = NonNullable<Partition['records']>[number];

const TRANSACTIONAL = 16;
const CONTROL = 32;

/** A batch of a producer that begins at an offset, with the letters as values. */
function batch(firstOffset: number, letters: string, producerId = 1n, attributes = 0): Batch {
  return {
    firstOffset: BigInt(firstOffset),
    lastOffsetDelta: letters.length - 1,
    firstTimestamp: 1000n,
    attributes,
    producerId,
    records: letters.split('').map((letter, offsetDelta) => ({
      offsetDelta,
      timestampDelta: BigInt(offsetDelta),
      key: null,
      value: Buffer.from(letter),
      headers: [],
    })),
  } as unknown as Batch;
}

/** Its only record is the marker that ends a transaction; type 0 aborts, type 1 commits. */
function marker(offset: number, type: 0 | 1, producerId = 1n): Batch {
  const end = batch(offset, 'x', producerId, TRANSACTIONAL | CONTROL);
  end.records[0]!.key = Buffer.from([0, 0, 0, type]);
  return end;
}

function fetched(records: Batch[], from: number, aborted: readonly [bigint, number][] = []): unknown[] {
  const abortedTransactions = aborted.map(([producerId, first]) => ({ producerId, firstOffset: BigInt(first) }));
  const { next, messages } = fetchedRecords({ records, abortedTransactions } as unknown as Partition, from);
  return [messages.map(({ offset, value }) => `${offset}${String(value)}`).join(' '), next];
}

describe('fetchedRecords', () => {
  it('leaves out what lies before the offset that was asked for', () => {
    expect(fetched([batch(10, 'abc'), batch(13, 'd')], 11)).toEqual(['11b 12c 13d', 14]);
    expect(fetched([], 11)).toEqual(['', 11]);
  });

  it('markers are no messages, and are behind us all the same', () => {
    expect(fetched([batch(0, 'ab', 1n, TRANSACTIONAL), marker(2, 1)], 0)).toEqual(['0a 1b', 3]);
  });

  it('shows nothing of transactions that were aborted, several of one producer, and all of others', () => {
    const all = [
      batch(0, 'a', 1n, TRANSACTIONAL),
      batch(1, 'b', 2n, TRANSACTIONAL),
      marker(2, 0),
      batch(3, 'c', 1n, TRANSACTIONAL),
      marker(4, 1),
      batch(5, 'd', 1n, TRANSACTIONAL),
      batch(6, 'e', 1n),
      marker(7, 0),
      marker(8, 1, 2n),
    ];
    expect(
      fetched(all, 0, [
        [1n, 5],
        [1n, 0],
      ]),
    ).toEqual(['1b 3c 6e', 9]);
  });

  it('a producer that aborts nothing takes back nothing: what it has committed before is seen', () => {
    const all = [
      batch(0, 'a', 1n, TRANSACTIONAL),
      marker(1, 0),
      batch(2, 'b', 1n, TRANSACTIONAL),
      marker(3, 1),
      marker(4, 0),
    ];
    expect(fetched(all, 0, [[1n, 0]])).toEqual(['2b', 5]);
  });

  it('headers keep their names; one that comes more than once is a list', () => {
    const one = batch(0, 'a');
    one.records[0]!.headers = [
      [Buffer.from('h'), Buffer.from('1')],
      [Buffer.from('h'), Buffer.from('2')],
      [Buffer.from('i'), null],
    ];
    const [message] = fetchedRecords({ records: [one], abortedTransactions: null } as unknown as Partition, 0).messages;
    expect(message).toMatchObject({ timestampMs: 1000, headers: { h: [Buffer.from('1'), Buffer.from('2')] } });
  });
});
