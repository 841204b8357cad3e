import { describe, expect, it } from 'vitest';
import { lineOf, linesOf, TailScene } from '../../fakes/tail-scene.js';

const LOG = '/logs/app.log';
const multiline = { start: '^ERROR', maxLines: 500, maxBytes: 100_000, flushMs: 300 };

/** A scene with a first event, whose further lines may still come. */
function begun(options: ConstructorParameters<typeof TailScene>[0] = {}): TailScene {
  const scene = new TailScene({ ...options, tail: { pollMs: 20, multiline, ...options.tail } });
  scene.world.append(LOG, `${lineOf(1)} at x\n`);
  scene.start(200);
  return scene;
}

describe('an event of several lines', () => {
  it('comes out when the next one begins', () => {
    const scene = begun();
    expect(scene.events).toEqual([]);
    scene.world.append(LOG, ` at y\n${lineOf(2)}`);
    scene.run(100);
    expect(scene.events).toEqual(['1 text\n at x\n at y']);
  });

  it('comes out when it was quiet for flushMs, measured from the last line: a slow writer does not cut it', () => {
    const scene = begun();
    for (let line = 0; line < 5; line++) {
      scene.world.append(LOG, ` at ${line}\n`);
      scene.run(200);
    }
    expect(scene.events).toEqual([]);
    scene.run(200);
    expect(scene.events).toEqual(['1 text\n at x\n at 0\n at 1\n at 2\n at 3\n at 4']);
  });

  it('whose further lines come too late: they are an event of their own, also after a restart', () => {
    const scene = begun();
    scene.run(400);
    expect(scene.events).toEqual(['1 text\n at x']);
    expect(scene.stop()).toBe(true);
    scene.world.append(LOG, ` at y\n at z\n${lineOf(2)}`);
    scene.start(1000);
    expect(scene.events).toEqual(['1 text\n at x', '2 text']);
    expect(scene.dead).toEqual([' at y\n at z']);
  });

  it('that was not complete at a stop comes out whole in the next life', () => {
    const scene = begun();
    expect(scene.stop()).toBe(true);
    expect(scene.events).toEqual([]);
    scene.world.append(LOG, ` at y\n`);
    scene.start(1000);
    expect(scene.events).toEqual(['1 text\n at x\n at y']);
  });

  it('comes out at the end with once, an incomplete line included', () => {
    const scene = new TailScene({ tail: { multiline }, once: true });
    scene.world.append(LOG, `${lineOf(1)} at x\n at`);
    scene.start(200);
    expect(scene.life.isDone).toBe(true);
    expect(scene.events).toEqual(['1 text\n at x\n at']);
  });

  it.each(['rename', 'copytruncate'])('goes on in the rotated file: %s', (how) => {
    const scene = begun();
    scene.world.append(LOG, ' at y\n');
    if (how === 'rename') scene.world.rename(LOG, { creates: true });
    else {
      scene.world.copy(LOG);
      scene.world.truncate(LOG);
    }
    scene.world.append(LOG, lineOf(2));
    scene.run(1000);
    expect(scene.events).toEqual(['1 text\n at x\n at y', '2 text']);
    expect(scene.lost).toEqual([]);
  });

  it.each(['cut', 'removed', 'removed while it was closed'])(
    'of a file that was %s comes out, as far as it was read',
    (how) => {
      const maxOpenFiles = how === 'removed' ? 8 : 1;
      const scene = begun({ tail: { maxOpenFiles, multiline: { ...multiline, flushMs: 5000 } } });
      scene.world.append(LOG, ' at');
      scene.run(100);
      // It takes the only turn.
      if (maxOpenFiles === 1) scene.world.append('/logs/other.log', lineOf('other'));
      scene.run(100);
      if (how === 'cut') scene.world.truncate(LOG);
      else scene.world.remove(LOG);
      scene.run(2000);
      expect(scene.events).toEqual(['1 text\n at x\n at']);
      expect(scene.lost).toEqual([]);
      expect(scene.stop()).toBe(true);
    },
  );

  it('waits without an open file when others need the turn', () => {
    const scene = new TailScene({ tail: { pollMs: 20, multiline, maxOpenFiles: 2 } });
    for (let file = 0; file < 30; file++) scene.world.append(`/logs/${file}.log`, `${lineOf(file)} at x\n`);
    scene.start(250);
    expect(scene.events).toEqual([]);
    scene.run(400);
    expect(scene.events.sort()).toEqual(Array.from({ length: 30 }, (_, file) => `${file} text\n at x`).sort());
    // Those that are read, and those that are looked at.
    expect(scene.life.files.mostOpenFiles).toBeLessThan(2 + 16 + 1);
    for (let file = 0; file < 30; file++) scene.world.append(`/logs/${file}.log`, ' at y\n');
    scene.run(600);
    expect(scene.dead).toHaveLength(30);
  });

  it('may be larger than what demand lets a lane have', () => {
    const scene = new TailScene({ tail: { pollMs: 20, multiline }, budgetBytes: 1500 });
    scene.world.append(LOG, lineOf(1));
    scene.start(50);
    for (let line = 0; line < 50; line++) {
      scene.world.append(LOG, ` at ${'x'.repeat(80)}\n`);
      scene.run(30);
    }
    scene.world.append(LOG, linesOf(2, 2));
    scene.run(1000);
    expect(scene.events.map((event) => event.length)).toEqual([6 + 50 * 85, 6, 6]);
  });
});

describe('a line', () => {
  it('may be longer than what demand lets a lane have', () => {
    const scene = new TailScene({ tail: { pollMs: 20 }, budgetBytes: 1500 });
    scene.start(50);
    for (let part = 0; part < 9; part++) {
      scene.world.append(LOG, part === 0 ? 'ERROR|1|' : 'x'.repeat(100));
      scene.run(50);
    }
    scene.world.append(LOG, `\n${lineOf(2)}`);
    scene.run(500);
    expect(scene.kept).toEqual(['1', '2']);
  });
});
