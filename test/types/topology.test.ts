import { concatMap, filter, map, of } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { duckdbSink } from '../../src/duckdb.js';
import { topology } from '../../src/flow.js';
import type { Settled, Topology, TopologyFlow } from '../../src/flow.js';
import { kafkaSink } from '../../src/kafka.js';
import { checkpointFile, fileSink } from '../../src/local.js';
import type { LogEvent } from '../../src/index.js';
import { keep, parse } from '../../src/stages.js';
import { tailSource } from '../../src/tail.js';

const source = tailSource({ paths: 'a.log' });
const file = fileSink({ path: 'out.ndjson' });
const more = fileSink({ path: 'more.ndjson' });
const store = duckdbSink({ path: 'topology.duckdb' });
const checkpoint = checkpointFile('data/a.checkpoint');
const bare = { load: () => of(undefined), save: () => of() };
const flow = topology().from(source);

describe('topology', () => {
  it('takes stages, operators of RxJS, and sinks', () => {
    const through = flow.through(
      parse({ format: 'json' }),
      keep({ level: ['ERROR'] }),
      filter((event) => event.get('message') !== ''),
      map((event) => event.with({ seen: true })),
      concatMap((event) => of(event, event)),
    );
    expectTypeOf(through).toEqualTypeOf<TopologyFlow>();
    const built = through.deliver(file, store).route('more', { stages: [keep({ level: ['WARN'] })], to: [more] });
    expectTypeOf(built).toEqualTypeOf<Topology>();
    expectTypeOf(built.run({ checkpoint })).toEqualTypeOf<Observable<Settled>>();
  });

  it('refuses what cannot work', () => {
    const delivering = flow.deliver(store);
    // @ts-expect-error -- without a source there is nothing to go through
    expect(topology().through).toBeUndefined();
    // @ts-expect-error -- it delivers nowhere
    expect(flow.run).toBeUndefined();
    // @ts-expect-error -- what goes out is no event
    expect(flow.through(map((event: LogEvent) => event.id))).toBeDefined();
    // @ts-expect-error -- a sink is needed
    expect(() => flow.deliver()).toThrow('has no sink');
    // @ts-expect-error -- a source is no sink
    expect(flow.deliver(source)).toBeDefined();
    // @ts-expect-error -- after the sinks there are no common stages
    expect(delivering.through).toBeUndefined();
    // @ts-expect-error -- positions need a place
    expect(() => delivering.run({ once: true })).toThrow();
    // @ts-expect-error -- dead letters need a place, and this store has none beside it
    expect(() => delivering.run({ checkpoint: bare })).toThrow('dead letters have no place');
    // @ts-expect-error -- a store of events has no place for dead letters
    expect(delivering.run({ checkpoint, deadLetters: store })).toBeDefined();
    const letters = kafkaSink({ brokers: ['localhost:9092'], topic: 'dead' });
    expect(delivering.run({ checkpoint: bare, deadLetters: letters })).toBeDefined();
  });
});
