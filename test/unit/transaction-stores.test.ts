import { EMPTY, firstValueFrom, from } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../src/model/checkpoint.js';
import type { IncomingMessage, Kafka } from '../../src/model/kafka.js';
import type { StagedMessage } from '../../src/model/transactions.js';
import { CheckpointRecords } from '../../src/stores/kafka/checkpoint-records.js';
import { LaneStateWriter, loadLaneState } from '../../src/stores/kafka/lane-states.js';
import { latestRecords } from '../../src/stores/kafka/latest-records.js';
import { piecesOf } from '../../src/stores/kafka/pieces.js';
import { requestsOf } from '../../src/stores/kafka/requests.js';
import type { Weighed } from '../../src/stores/kafka/requests.js';
import { Staging } from '../../src/stores/kafka/staging.js';

const staged = (value: string, partition = 0, bytes = 10): StagedMessage => ({
  message: { partition, key: null, value, headers: {} },
  bytes,
});

/** A topic that has these records, as it is read. */
function topicOf(records: readonly Weighed[], first = 0): IncomingMessage[] {
  const bytes = (text: string | Uint8Array | null): Uint8Array | null => (text === null ? null : Buffer.from(text));
  return records.map(({ message: { key, value, headers } }, at) => ({
    offset: first + at,
    timestampMs: 0,
    key: bytes(key),
    value: bytes(value),
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
  }));
}

const latestOf = (records: readonly Weighed[]): ReadonlyMap<string, IncomingMessage> =>
  new Map(topicOf(records).map((message) => [Buffer.from(message.key ?? []).toString(), message]));

describe('staging', () => {
  it('has ready what has settled, and forgets what was committed', () => {
    const staging = new Staging();
    staging.stage({ lane: 'a', position: 1, messages: [staged('a1')] });
    staging.stage({ lane: 'a', position: 2, messages: [staged('a2')] });
    staging.stage({ lane: 'b', position: 5, messages: [staged('b5')] });
    expect(staging.ready).toEqual([]);
    staging.settled('a', 1);
    const [ready] = staging.ready;
    expect(staging.ready).toEqual([{ lane: 'a', position: 1, messages: [staged('a1')] }]);
    // While that is written, more settles.
    staging.settled('a', 2);
    staging.committed(ready!);
    expect(staging.ready).toEqual([{ lane: 'a', position: 2, messages: [staged('a2')] }]);
    staging.committed(staging.ready[0]!);
    expect(staging.ready).toEqual([]);
  });

  it('has a position ready also without a message, and drops a lane', () => {
    const staging = new Staging();
    staging.settled('a', 3);
    staging.stage({ lane: 'b', position: 5, messages: [staged('b5')] });
    staging.settled('b', 5);
    staging.drop('b');
    expect(staging.ready).toEqual([{ lane: 'a', position: 3, messages: [] }]);
  });
});

describe('requests', () => {
  const texts = (messages: readonly StagedMessage[], maxBytes = 1000): string[][] =>
    [...requestsOf([{ topic: 't', messages }], maxBytes)].map((request) => request.map(({ value }) => String(value)));

  it('keep the order of each partition, and no partition has more than a request may', () => {
    expect(texts([])).toEqual([]);
    const messages = [staged('a', 0, 600), staged('b', 1), staged('c', 0, 600), staged('d', 1), staged('e', 0, 5000)];
    expect(texts(messages)).toEqual([['a', 'b', 'd'], ['c'], ['e']]);
  });

  it('are shared by topics, whose partitions are others', () => {
    const parts = [
      { topic: 't', messages: [staged('a', 0, 600), staged('b', 0, 600)] },
      { topic: 'u', messages: [staged('c', 0, 600)] },
    ];
    const requests = [...requestsOf(parts, 1000)].map((request) =>
      request.map(({ topic, value }) => `${topic} ${String(value)}`),
    );
    expect(requests).toEqual([['t a', 'u c'], ['t b']]);
  });

  it('have no more of a partition than the client can take', () => {
    const messages = Array.from({ length: 2500 }, (_, at) => staged(String(at), 0, 1));
    const requests = texts(messages, 1_000_000);
    expect(requests.map(({ length }) => length)).toEqual([1000, 1000, 500]);
    expect(requests.flat()).toEqual(messages.map(({ message }) => message.value));
  });
});

it('pieces are no longer than they may be, and do not cut a character', () => {
  expect(piecesOf('')).toEqual(['']);
  expect(piecesOf('abcde', 2)).toEqual(['ab', 'cd', 'e']);
  expect(piecesOf('a😀b', 2)).toEqual(['a', '😀', 'b']);
});

describe('the checkpoint as records', () => {
  const checkpoint = (lanes: Readonly<Record<string, number>>, rest: Partial<Checkpoint> = {}): Checkpoint => ({
    lanes: new Map(Object.entries(lanes).map(([id, position]) => [id, { position, state: { path: id } }])),
    sinks: new Map(),
    stages: new Map(),
    ...rest,
  });

  it('is read as it was written, of the latest record of each key, and of one pipeline', () => {
    const log: Weighed[] = [];
    const [one, other] = [new CheckpointRecords('one'), new CheckpointRecords('other')];
    log.push(...other.changes(checkpoint({ z: 9 }), 'theirs'));
    log.push(...one.changes(checkpoint({ a: 1, b: 2 }, { sinks: new Map([['out', { length: 3 }]]) }), 'me'));
    log.push(...one.changes(checkpoint({ a: 4 }, { stages: new Map([['dedupe', ['x']]]) }), 'me'));
    const found = new CheckpointRecords('one').read(latestOf(log));
    expect(found).toEqual({ owner: 'me', checkpoint: checkpoint({ a: 4 }, { stages: new Map([['dedupe', ['x']]]) }) });
    expect(new CheckpointRecords('third').read(latestOf(log))).toBeUndefined();
  });

  it('writes what has changed only, also after it was read', () => {
    const records = new CheckpointRecords('one');
    const first = checkpoint({ a: 1, b: 2 }, { sinks: new Map([['out', null]]) });
    const log = [...records.changes(first, 'me')];
    expect(records.changes(first, 'me')).toEqual([]);
    const lanes = new Map([...first.lanes, ['b', { position: 3, state: null }] as const]);
    expect(records.changes({ ...first, lanes }, 'me').map(({ message }) => message.key)).toEqual([
      '["one","lane","b",0]',
    ]);
    const next = new CheckpointRecords('one');
    const { checkpoint: read } = next.read(latestOf(log))!;
    expect(next.changes(read, 'me')).toEqual([]);
    expect(next.changes(read, 'you').map(({ message }) => message.key)).toEqual(['["one","owner","",0]']);
    expect(next.changes({ ...read, lanes: new Map() }, 'you').map(({ message }) => message.value)).toEqual([
      null,
      null,
    ]);
  });

  it('cuts a large state into records, and takes away those that are too many', () => {
    const records = new CheckpointRecords('one');
    const large = 'é'.repeat(600_000);
    const log = [...records.changes(checkpoint({}, { stages: new Map([['s', large]]) }), 'me')];
    expect(log).toHaveLength(1 + 3);
    for (const { message, bytes } of log) {
      expect(Buffer.byteLength(String(message.value))).toBeLessThan(bytes);
      expect(bytes).toBeLessThan(1_000_000);
    }
    expect(new CheckpointRecords('one').read(latestOf(log))?.checkpoint.stages.get('s')).toBe(large);
    log.push(...records.changes(checkpoint({}, { stages: new Map([['s', 'small']]) }), 'me'));
    expect(log.slice(4).map(({ message }) => message.value)).toEqual(['"small"', null, null]);
    expect(new CheckpointRecords('one').read(latestOf(log))?.checkpoint.stages.get('s')).toBe('small');
  });

  it('is the latest of each key when it is read, without what was deleted, and holds on to nothing that came with it', async () => {
    const records = new CheckpointRecords('one');
    const log: Weighed[] = [];
    for (let position = 0; position < 1000; position++) {
      log.push(...records.changes(checkpoint({ a: position, [position < 500 ? 'b' : 'c']: 1 }), 'me'));
      if (position < 3) log.push(...new CheckpointRecords('two').changes(checkpoint({ a: 7 }), 'them'));
    }
    // As a fetch brings them: all are parts of one.
    const fetch = Buffer.alloc(4_000_000);
    let at = 0;
    const part = (bytes: Uint8Array): Uint8Array => {
      fetch.set(bytes, at);
      return fetch.subarray(at, (at += bytes.length));
    };
    const read = topicOf(log).map((message) => ({
      ...message,
      value: message.value && part(message.value),
      headers: { 'millrace-pieces': part(Buffer.from('1')) },
    }));
    const latest = await firstValueFrom(from(read).pipe(latestRecords('one')));
    expect([...latest.keys()]).toEqual(['["one","owner","",0]', '["one","lane","a",0]', '["one","lane","c",0]']);
    const found = new CheckpointRecords('one').read(latest);
    expect(found?.checkpoint).toEqual(checkpoint({ a: 999, c: 1 }));
    const held = [...latest.values()].flatMap(({ key, value, headers }) => [key, value, headers['millrace-pieces']]);
    for (const bytes of held) if (bytes instanceof Uint8Array) expect(bytes.buffer).not.toBe(fetch.buffer);
  });

  it('of another version is refused', () => {
    const [record] = new CheckpointRecords('one').changes(checkpoint({}), 'me');
    const other = { ...record!, message: { ...record!.message, value: '{"version":2,"id":"me"}' } };
    expect(() => new CheckpointRecords('one').read(latestOf([other]))).toThrow(
      expect.objectContaining({ code: 'MILLRACE_E_CHECKPOINT_VERSION' }),
    );
  });
});

describe('states of lanes', () => {
  const place = { connection: { brokers: ['b:1'], clientId: 'c' }, topic: 'states' };
  const load = (messages: readonly IncomingMessage[], text: string | undefined): Promise<unknown> => {
    const kafka: Kafka = {
      produce: () => EMPTY,
      consume: () => EMPTY,
      transact: () => EMPTY,
      describe: () => EMPTY,
      read: (_, { from: first = 0, topic, partition }) => {
        expect([topic, partition]).toEqual(['states', 3]);
        return from(messages.filter(({ offset }) => offset >= first));
      },
    };
    return firstValueFrom(loadLaneState(place, text, kafka));
  };
  const keysOf = (records: readonly Weighed[]): unknown[] =>
    records.map(({ message: { key, value } }) => (value === null ? `-${key}` : key));

  it('are loaded exactly as the committed text says, whatever was written later', async () => {
    const writer = new LaneStateWriter('t-0', 'g1', 3, undefined);
    const log: Weighed[] = [];
    const texts: string[] = [];
    for (const state of ['one', 'two', { long: 'x'.repeat(300_000) }, 'four']) {
      const { messages, textAt, partition } = writer.next(state);
      expect(partition).toBe(3);
      texts.push(textAt(log.length));
      log.push(...messages);
    }
    expect(keysOf(log)).toEqual(['t-0/g1/0/0', 't-0/g1/1/0', 't-0/g1/0/0', 't-0/g1/0/1', 't-0/g1/1/0']);
    const messages = topicOf(log);
    expect(await load(messages, texts[0])).toBe('one');
    expect(await load(messages, texts[1])).toBe('two');
    expect(await load(messages, texts[2])).toEqual({ long: 'x'.repeat(300_000) });
    expect(await load(messages, texts[3])).toBe('four');
    expect(await load(messages, undefined)).toBeUndefined();
    expect(await load(messages, 'a text of somebody else')).toBeUndefined();
    await expect(load(messages.slice(0, 3), texts[2])).rejects.toMatchObject({
      code: 'MILLRACE_E_CHECKPOINT_UNREADABLE',
    });
  });

  it('of a predecessor go when the second one of the successor is written, and no sooner', () => {
    const text = new LaneStateWriter('t-0', 'g1', 3, undefined).next('x').textAt(7);
    const writer = new LaneStateWriter('t-0', 'g2', 3, text);
    expect(keysOf(writer.next('y').messages)).toEqual(['t-0/g2/0/0']);
    expect(keysOf(writer.next('z').messages)).toEqual(['t-0/g2/1/0', '-t-0/g1/0/0', '-t-0/g1/1/0']);
    expect(keysOf(writer.next('z').messages)).toEqual(['t-0/g2/0/0']);
  });
});
