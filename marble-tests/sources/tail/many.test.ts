import { describe, expect, it } from 'vitest';
import { lineOf, linesOf, TailScene } from '../../fakes/tail-scene.js';

describe('order: oldestFirst', () => {
  it('reads the files that are there one after the other, oldest first; later ones side by side', () => {
    const scene = new TailScene({ tail: { order: 'oldestFirst', pollMs: 50 } });
    for (const [at, name] of ['c', 'a', 'd', 'b'].entries()) {
      scene.disk.append(`/logs/${name}.log`, linesOf(at * 1000, 1000));
      scene.clock.runFor(100);
    }
    scene.start(5000);
    expect(scene.kept).toEqual(Array.from({ length: 4000 }, (_, at) => String(at)));
    expect(scene.stop()).toBe(true);
    for (const [at, name] of ['d', 'e', 'a'].entries()) {
      scene.disk.append(`/logs/${name}.log`, linesOf(5000 + at * 1000, 1000));
      scene.clock.runFor(100);
    }
    scene.start(5000);
    const next = scene.kept.slice(4000).map(Number);
    expect(next).toHaveLength(3000);
    // Known ones first, each at its place by its time.
    expect(next.indexOf(5000)).toBeLessThan(next.indexOf(7000));
    scene.disk.append('/logs/late.log', lineOf('late'));
    scene.run(500);
    expect(scene.kept.at(-1)).toBe('late');
  });

  it('goes on when one of them cannot be read', () => {
    const scene = new TailScene({ tail: { order: 'oldestFirst', pollMs: 50 } });
    for (const name of ['a', 'b']) {
      scene.disk.append(`/logs/${name}.log`, lineOf(name));
      scene.clock.runFor(100);
    }
    scene.start(0);
    scene.life.files.faults.add({ call: 'open', path: '/logs/a.log', code: 'MILLRACE_E_FILE_PERMISSION' });
    scene.run(2000);
    expect(scene.kept).toEqual(['b']);
    scene.life.files.faults.clear();
    scene.run(10_000);
    expect(scene.kept).toEqual(['b', 'a']);
  });
});

describe('ignoreOlderThanMs', () => {
  it('leaves files alone that are older when they are found, until they change', () => {
    const scene = new TailScene({ tail: { ignoreOlderThanMs: 1000, pollMs: 50 } });
    scene.disk.append('/logs/old.log', lineOf('old'));
    scene.clock.runFor(5000);
    scene.disk.append('/logs/new.log', lineOf('new'));
    scene.start(2000);
    expect(scene.kept).toEqual(['new']);
    scene.stop();
    scene.start(2000);
    expect(scene.kept).toEqual(['new']);
    scene.disk.append('/logs/old.log', lineOf('again'));
    scene.run(500);
    expect(scene.kept).toEqual(['new', 'old', 'again']);
    scene.clock.runFor(5000);
    scene.disk.append('/logs/new.log', lineOf('known'));
    scene.run(500);
    expect(scene.kept.at(-1)).toBe('known');
  });
});

describe('a restart', () => {
  it('opens no file that is as it was', () => {
    const scene = new TailScene({ tail: { pollMs: 50 } });
    for (let file = 0; file < 20; file++) scene.disk.append(`/logs/${file}.log`, lineOf(file));
    scene.start(1000);
    scene.stop();
    scene.disk.append('/logs/7.log', lineOf('more'));
    scene.start(1000);
    expect(scene.kept.at(-1)).toBe('more');
    for (let file = 0; file < 20; file++) {
      const opened = scene.life.files.count('open', `/logs/${file}.log`);
      expect(opened > 0, `${file}`).toBe(file === 7);
    }
    scene.disk.append('/logs/8.log', lineOf('later'));
    scene.run(500);
    expect(scene.kept.at(-1)).toBe('later');
  });
});
