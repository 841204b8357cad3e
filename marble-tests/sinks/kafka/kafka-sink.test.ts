import { EMPTY, NEVER, of } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { leg } from '../../../src/flow/leg.js';
import { MillraceError } from '../../../src/model/errors.js';
import type { KafkaProducer, OutgoingMessage } from '../../../src/model/kafka.js';
import type { Delivery, Sink } from '../../../src/model/sink.js';
import { kafkaSink } from '../../../src/sinks/kafka/kafka-sink.js';
import { kafkaSinkOptions } from '../../../src/sinks/kafka/options.js';
import { marbles } from '../../marbles.js';

const lost = new MillraceError('MILLRACE_E_KAFKA_PRODUCE');
const policy = { initialMs: 5, maxMs: 5, jitter: 0 } as const;

/** A topic that answers each request as it is told; `requests`: the values of each. */
class Topic implements KafkaProducer {
  readonly requests: string[] = [];
  readonly #partitions: number;
  readonly #answer: (at: number) => Observable<never>;

  constructor(partitions: number, answer: (at: number) => Observable<never>) {
    this.#partitions = partitions;
    this.#answer = answer;
  }

  partitions(): Observable<number> {
    return of(this.#partitions);
  }

  send(messages: readonly OutgoingMessage[]): Observable<never> {
    this.requests.push(messages.map(({ value }) => String(value).slice(0, 1)).join(''));
    return this.#answer(this.requests.length - 1);
  }
}

function deliveryOf(letters: string, position: number): Delivery<string> {
  return { lane: 'l', position, items: letters.split('') };
}

/** Every letter is a message of a key of its own, and of as many bytes as it is told. */
function opened(topic: Topic, bytes = 1): Sink<string> {
  const options = kafkaSinkOptions.parse({ brokers: ['b:1'], topic: 't', maxMessageBytes: 1024 });
  const encode = of((letter: string) => ({ key: letter, value: letter.repeat(bytes), headers: {} }));
  let sink: Sink<string> | undefined;
  const kafka = { consume: () => NEVER, transact: () => NEVER, describe: () => NEVER, read: () => NEVER };
  kafkaSink(options, encode, { ...kafka, produce: () => of(topic) })
    .open({ pipeline: 'p', leg: 'l', saved: undefined, save: NEVER, report: () => {} })
    .subscribe((open) => (sink = open));
  return sink!;
}

describe('kafkaSink', () => {
  it(
    'sends at once when idle; what comes meanwhile is one request, and receipts come in lane order',
    marbles(({ cold, time, expectObservable, flush }) => {
      const source = cold('  abc------d|');
      const answer = time('  ----|      ');
      const expected = '     ----a---(bc)-(d|)';
      const deliveries = {
        a: deliveryOf('ab', 2),
        b: deliveryOf('cd', 4),
        c: deliveryOf('ef', 6),
        d: deliveryOf('g', 7),
      };
      const topic = new Topic(3, () => cold(`${'-'.repeat(answer)}|`));
      const received = { a: two, b: two, c: two, d: { ...two, delivered: 1 } };
      const line = cold('    abc------d|', deliveries).pipe(leg(opened(topic), { policy }));
      expectObservable(source).toBe('abc------d|');
      expectObservable(line).toBe(expected, received);
      flush();
      expect(topic.requests).toEqual(['ab', 'cdef', 'g']);
    }),
  );

  it(
    'after an error sends again only what was not confirmed, in the same order',
    marbles(({ cold, expectObservable, flush }) => {
      // A partition takes 1 KiB in a request: one of these messages.
      const topic = new Topic(1, (at) => (at === 1 ? cold('-#', undefined, lost) : cold('-|')));
      const line = of(deliveryOf('abc', 3)).pipe(leg(opened(topic, 600), { policy }));
      expectObservable(line).toBe('         ---------(r|)', { r: { ...two, delivered: 3 } });
      flush();
      expect(topic.requests).toEqual(['a', 'b', 'b', 'c']);
    }),
  );

  it('what is too large is refused, alone', () => {
    const topic = new Topic(1, () => EMPTY);
    const refused: unknown[] = [];
    opened(topic, 2000)
      .deliver(deliveryOf('ab', 2))
      .subscribe((receipt) => refused.push(...receipt.refused.map(({ item }) => item), receipt.delivered));
    expect(refused).toEqual(['a', 'b', 0]);
    expect(topic.requests).toEqual([]);
  });
});

const two = { delivered: 2, duplicates: 0, refused: [] };
