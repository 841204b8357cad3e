import { from, map, NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Memories } from '../../src/flow/memories.js';
import { transform } from '../../src/flow/transform.js';
import type { Route, Transformed } from '../../src/flow/transform.js';
import type { LogEvent } from '../../src/model/event.js';
import type { Json } from '../../src/model/json.js';
import { dedupe } from '../../src/operators/dedupe.js';
import { batchOf, laneOf } from '../../src/testing/lane-of.js';

const byMessage = dedupe({ by: ['message'] });
const all: Route = { name: 'all', stages: [] };

function restarted(memories: Memories, ...lanes: readonly string[]): Memories {
  const captured = memories.capture(new Map(lanes.map((lane) => [lane, 0])));
  return new Memories(new Map(JSON.parse(JSON.stringify([...captured])) as [string, Json][]));
}

/** Runs batches through a transform; gives the texts that came out of the first route. */
function running(
  memories: Memories,
  routes = [all],
  stages = [byMessage],
): (lane: string, texts: string, at: number) => string {
  const run = transform(stages, routes, memories);
  return (lane, texts, at) => {
    let done: Transformed | undefined;
    run(laneOf(lane, NEVER), batchOf(texts, at)).subscribe((each) => (done = each));
    return done!.routes[0]!.events.map((event) => String(event.get('message'))).join('');
  };
}

describe('Memories', () => {
  it('outlive a batch, and are shared by the lanes', () => {
    const run = running(new Memories());
    expect([run('l', 'aab', 0), run('l', 'abc', 3), run('m', 'abcd', 0)]).toEqual(['ab', 'c', 'd']);
  });

  it('a batch that is run again gets the same answers, also after a restart, also for what was forgotten meanwhile', () => {
    const memories = new Memories();
    const small = [dedupe({ by: ['message'], maxKeys: 1 })];
    const run = running(memories, [all], small);
    expect([run('l', 'aab', 0), run('l', 'aba', 3)]).toEqual(['ab', 'aba']);
    expect([run('l', 'aab', 0), run('l', 'aba', 3)]).toEqual(['ab', 'aba']);
    const again = running(restarted(memories, 'l'), [all], small);
    // Batches may be cut elsewhere then.
    expect([again('l', 'a', 0), again('l', 'abab', 1), again('l', 'aab', 5)]).toEqual(['a', 'bab', 'ab']);
  });

  it('what is settled is not kept: its answers are not needed any more', () => {
    const memories = new Memories();
    const run = running(memories);
    run('l', 'abab', 0);
    run('l', 'xy', 4);
    memories.settled('l', 4);
    memories.settled('nobody', 4);
    const [[, { answers }]] = [...memories.capture(new Map([['l', 0]]))] as unknown as [[string, { answers: Json }]];
    expect(answers).toEqual({ l: { places: [4, 1], admitted: '11' } });
    memories.settled('l', 6);
    expect([...memories.capture(new Map([['l', 0]])).values()]).toMatchObject([{ answers: {} }]);
  });

  it('a lane that the checkpoint does not know is forgotten', () => {
    const memories = new Memories();
    running(memories)('l', 'a', 0);
    expect([...memories.capture(new Map()).values()]).toMatchObject([{ answers: {} }]);
  });

  it('a throw in a later stage: the others of the batch get the answers they got', () => {
    const memories = new Memories();
    const throwing = map((event: LogEvent) => {
      if (event.get('message') === 'b') throw new Error('no b');
      return event;
    });
    const run = transform([byMessage, throwing], [all], memories);
    let done: Transformed | undefined;
    run(laneOf('l', NEVER), batchOf('aabbc')).subscribe((each) => (done = each));
    expect(done!.routes[0]!.events.map((event) => event.get('message'))).toEqual(['a', 'c']);
    expect(done!.common.deadLetters.map(({ record }) => record.offset)).toEqual([2]);
    expect(done!.common.filteredCount).toBe(2);
  });

  it('two pipelines share nothing; each route has its own; names say whose memory it is', () => {
    const [one, two] = [running(new Memories()), running(new Memories())];
    expect([one('l', 'a', 0), two('l', 'a', 0)]).toEqual(['a', 'a']);
    const memories = new Memories();
    const routes = [
      { name: 'x', stages: [byMessage] },
      { name: 'y', stages: [byMessage] },
    ];
    const run = running(memories, routes, [byMessage, byMessage]);
    expect(run('l', 'aab', 0)).toBe('ab');
    expect([...memories.capture(new Map()).keys()]).toEqual([
      '/dedupe(message)#1',
      '/dedupe(message)#2',
      'x/dedupe(message)#1',
      'y/dedupe(message)#1',
    ]);
  });

  it('as a plain operator each subscription begins anew', () => {
    const counts = [0, 0].map(() => {
      let count = 0;
      let done: Transformed | undefined;
      transform([], [all])(laneOf('l', NEVER), batchOf('aab')).subscribe((each) => (done = each));
      from(done!.routes[0]!.events)
        .pipe(byMessage)
        .subscribe(() => count++);
      return count;
    });
    expect(counts).toEqual([2, 2]);
  });
});
