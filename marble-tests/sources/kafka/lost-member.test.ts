import { EMPTY, NEVER, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { pipeline } from '../../../src/flow/pipeline.js';
import type { DeadLetter } from '../../../src/model/dead-letter.js';
import { MillraceError } from '../../../src/model/errors.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import { decodeMessages } from '../../../src/sources/kafka/records.js';
import { RecordingSink, resourceOf } from '../../../src/testing/recording-sink.js';
import { assigned, defaults, fakeKafka, fetched } from '../../fakes/fake-kafka.js';
import { marbles } from '../../marbles.js';

const lost = new MillraceError('MILLRACE_E_KAFKA_UNREACHABLE');

describe('a pipeline whose member of the group is lost', () => {
  it(
    'goes on where it had settled, which the group has not heard of: nothing is delivered twice',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const told: string[] = [];
      const values = { a: assigned({ 0: 0 }), x: fetched(0, 0, 4), b: assigned({ 0: 0 }, 'n'), y: fetched(0, 4, 6) };
      // No commit is answered before the connection is lost.
      const scene = { members: [cold('ax--#', values, lost), cold('by', values)], answer: () => NEVER };
      const kafka = fakeKafka(scene, (what) => told.push(what));
      const sink = new RecordingSink();
      const run = pipeline(
        {
          source: kafkaSource(defaults, { kafka, decode: decodeMessages(defaults) }, scheduler),
          stages: [],
          routes: [{ name: 'main', stages: [], to: [resourceOf(sink)] }],
          deadLetters: resourceOf(new RecordingSink<DeadLetter>()),
          store: { load: () => of(undefined), save: () => EMPTY },
          checkpointEveryMs: 2,
        },
        { stop: NEVER, once: false, startDeadlineMs: 1000, report: () => {}, behind: () => {} },
        scheduler,
      );
      const offsets: number[] = [];
      expectObservable(run, '^ 600ms !');
      flush();
      for (const { items } of sink.deliveries) offsets.push(...items.map(({ record }) => record.offset));
      expect(offsets).toEqual([0, 1, 2, 3, 4, 5]);
      expect(told.filter((what) => what.startsWith('start'))).toEqual(['start t-0 at 0', 'start t-0 at 4']);
    }),
  );
});
