import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../src/model/checkpoint.js';
import { checkpointFile } from '../../src/stores/checkpoint-file.js';
import { FakeDisk } from '../../src/testing/fake-disk.js';
import { FakeFiles } from '../../src/testing/fake-files.js';
import { Seeded } from '../../src/testing/seeded.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';

const PATH = '/data/app.checkpoint';

function at(position: number): Checkpoint {
  return { lanes: new Map([['l', { position, state: null }]]), sinks: new Map(), stages: new Map() };
}

/** A disk with one luck, and what happens to the calls of processes that live on it. */
function world(seed: number): {
  disk: FakeDisk;
  save: (position: number, crashAt?: number) => void;
  load: () => Checkpoint | undefined;
} {
  const clock = new VirtualClock();
  const disk = new FakeDisk({ random: new Seeded(seed), now: () => clock.now() });
  const save = (position: number, crashAt = Infinity): void => {
    const files = new FakeFiles(disk, clock, { crash: 'kill', crashAt });
    checkpointFile(PATH, files)
      .save(at(position))
      .subscribe({ error: () => {} });
    clock.runUntil(clock.now() + 1000, () => files.isDead);
  };
  const load = (): Checkpoint | undefined => {
    let found: Checkpoint | undefined;
    checkpointFile(PATH, new FakeFiles(disk, clock, {}))
      .load()
      .subscribe((checkpoint) => (found = checkpoint));
    clock.runUntil(clock.now() + 1000, () => false);
    return found;
  };
  return { disk, save, load };
}

describe('a checkpoint file', () => {
  it('is what was saved', () => {
    const { save, load } = world(1);
    expect(load()).toBeUndefined();
    save(7);
    expect(load()).toEqual(at(7));
  });

  it('that was loaded is not taken back by a power failure: others have acted on it', () => {
    // The process was killed after the rename, before that was durable.
    const SYNC_OF_FOLDER = 7;
    for (let seed = 1; seed <= 20; seed++) {
      const { disk, save, load } = world(seed);
      save(1);
      save(2, SYNC_OF_FOLDER);
      expect(load()).toEqual(at(2));
      disk.powerFails();
      expect(load()).toEqual(at(2));
    }
  });
});
