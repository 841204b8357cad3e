import { describe, expect, it } from 'vitest';
import { steps } from '../../../src/operators/steps.js';
import type { Routine } from '../../../src/operators/steps.js';
import { EvidenceKeeper } from '../../../src/sources/tail/evidence.js';
import { Looker } from '../../../src/sources/tail/looker.js';
import { FakeDisk } from '../../../src/testing/fake-disk.js';
import { FakeFiles } from '../../../src/testing/fake-files.js';
import { Seeded } from '../../../src/testing/seeded.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';

const FIRST = '/logs/app.log.1';
const SECOND = '/logs/app.log.2';

describe('a look at files whose names move', () => {
  const clock = new VirtualClock();
  const disk = new FakeDisk({ random: new Seeded(1), now: () => clock.now() });
  const looker = new Looker(new FakeFiles(disk, clock, {}));
  const evidence = new EvidenceKeeper();
  evidence.add(Buffer.from('one\n'));

  function answered<T>(question: Routine<T>): T | undefined {
    let answer: T | undefined;
    steps<T>(function* (emit) {
      emit(yield* question);
    }).subscribe((value) => (answer = value));
    clock.runUntil(clock.now() + 1000, () => false);
    return answer;
  }

  it('does not take what has a file’s name now for that file', () => {
    disk.makeFolder('/logs');
    disk.append(FIRST, 'one\n');
    disk.append(SECOND, 'two\n');
    const seen = answered(looker.statAll([FIRST, SECOND]))!;
    expect(seen.map(({ path }) => path)).toEqual([FIRST, SECOND]);
    expect(answered(looker.has(FIRST, evidence.evidence, seen[0]!.id))).toBe(true);
    disk.move(SECOND, '/logs/app.log.3');
    disk.move(FIRST, SECOND);
    expect(answered(looker.has(SECOND, evidence.evidence))).toBe(true);
    expect(answered(looker.has(SECOND, evidence.evidence, seen[1]!.id))).toBe(false);
    expect(answered(looker.has(FIRST, evidence.evidence, seen[0]!.id))).toBe(false);
  });
});
