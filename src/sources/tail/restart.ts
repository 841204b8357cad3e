import { from, mergeMap } from 'rxjs';
import type { Observable } from 'rxjs';
import { steps, wait } from '../../operators/steps.js';
import type { Routine } from '../../operators/steps.js';
import { Incarnation } from './incarnation.js';
import type { Lanes } from './lanes.js';
import { CONCURRENCY } from './looker.js';
import type { Looker, Seen } from './looker.js';
import type { Setting } from './setting.js';

/** The incarnations of the checkpoint. */
export function restore({ context, registry, scheduler }: Setting): void {
  for (const [id, lane] of context.saved) {
    const incarnation = Incarnation.saved(id, lane);
    if (incarnation === undefined) continue;
    incarnation.isEnded = incarnation.location !== incarnation.path || incarnation.isArchive;
    incarnation.grownAt = scheduler.now();
    registry.add(incarnation);
  }
}

/** While nobody looked, a file may have become another one: its inode alone proves nothing. */
export function* verify(
  saved: readonly Incarnation[],
  at: ReadonlyMap<string, Seen>,
  { registry }: Setting,
  looker: Looker,
): Routine {
  const verifyOne = (incarnation: Incarnation): Observable<never> =>
    steps<never>(function* (): Routine {
      const file = at.get(incarnation.location);
      incarnation.isUnchanged = false;
      // An archive does not change, and what it has takes long to find out: that is done when it is read.
      if (incarnation.isArchive) return;
      if (file?.id !== incarnation.fileId || file.size < incarnation.evidence.end) return;
      incarnation.isUnchanged = file.size === incarnation.position && file.mtimeMs === incarnation.seenMtimeMs;
      if (incarnation.isUnchanged) return;
      incarnation.isRewritten = yield* looker.isOther(file.path, incarnation.evidence);
    });
  yield* wait(from(saved).pipe(mergeMap(verifyOne, CONCURRENCY)));
  for (const incarnation of saved) {
    const owner = registry.owner(incarnation.fileId);
    // A later one had the same file: what this one has read of it, perhaps a byte, was cut off before.
    if (owner !== incarnation && owner?.location === incarnation.location && !owner.isRewritten) {
      incarnation.isRewritten = true;
    }
  }
}

/** What is left of rotated files first. */
export function resume(saved: readonly Incarnation[], { registry }: Setting, lanes: Lanes): void {
  for (const incarnation of saved) {
    incarnation.isCaughtUp = incarnation.isEnded && incarnation.unread === 0;
    // The first look may have found already what came after it.
    if (incarnation.isCaughtUp) incarnation.letOthersGoOn();
  }
  for (const incarnation of saved) {
    if (!registry.has(incarnation)) continue;
    // The patterns are others than in the last life. Known it stays: they may be as they were in the next one.
    if (!incarnation.isEnded && !registry.isMatched(incarnation.path)) registry.setAside(incarnation);
    // It was read to its end, and is as it was.
    else if (incarnation.isUnchanged || (incarnation.isArchive && incarnation.isCaughtUp)) rest(incarnation);
    else lanes.readInSequence(incarnation);
  }
}

/** There is nothing to be read: it is opened when it changes. */
function rest(incarnation: Incarnation): void {
  incarnation.isDue = true;
  incarnation.isDirty = false;
}
