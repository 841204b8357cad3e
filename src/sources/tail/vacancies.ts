import type { Routine } from '../../operators/steps.js';
import type { Discovery } from './discovery.js';
import type { Lanes } from './lanes.js';
import type { Seen } from './looker.js';
import { prefixesOf, stemOf } from './names.js';
import type { Search } from './rotation.js';
import type { Setting } from './setting.js';

/** A rotated file outside the patterns, or a path without a file, is looked at for so long after its last change. */
export const FORGET_AFTER_MS = 600_000;
/** So often a folder is searched for files that had a path between two looks, when nothing has changed there. */
const LOOKS_A_LISTING = 5;

/** Since when a path has no current incarnation. */
interface Vacancy {
  /** When the last one was written last. */
  readonly mtimeMs: number;
  readonly since: number;
  readonly look: number;
}

/** Paths that have no current incarnation: what has them next, however short, is the next one. */
export class Vacancies {
  readonly #setting: Setting;
  readonly #lanes: Lanes;
  readonly #discovery: Discovery;
  readonly #vacant = new Map<string, Vacancy>();

  constructor(setting: Setting, lanes: Lanes, discovery: Discovery) {
    this.#setting = setting;
    this.#lanes = lanes;
    this.#discovery = discovery;
  }

  /** An incarnation has left its path in this look; it was written last at that time. */
  add(path: string, mtimeMs: number, look: number): void {
    const latest = Math.max(mtimeMs, this.#vacant.get(path)?.mtimeMs ?? 0);
    this.#vacant.set(path, { mtimeMs: latest, since: this.#setting.scheduler.now(), look });
  }

  /** When what had the path was written last; undefined if the path is not vacant. */
  since(path: string): number | undefined {
    return this.#vacant.get(path)?.mtimeMs;
  }

  /** Reads files that had a path and lost it again before anybody saw them there. False if one has gone meanwhile. */
  *search(at: ReadonlyMap<string, Seen>, search: Search, look: number): Routine<boolean> {
    if (this.#vacant.size === 0) return true;
    const { registry } = this.#setting;
    const unknown = [...at.values()].filter(({ id, size }) => size > 0 && !registry.owns(id));
    const names = new Set(unknown.flatMap((file) => [file.path, ...prefixesOf(file.path)]));
    for (const [path, vacancy] of this.#vacant) {
      if (this.#isOver(path, vacancy)) continue;
      // Or it has left already, under a name that the patterns match, too.
      const hasNext = names.has(path) || names.has(stemOf(path));
      // It takes a listing of the folder.
      if (vacancy.look !== look && !hasNext && look % LOOKS_A_LISTING !== 0) continue;
      const missed = yield* search.between(path, vacancy.mtimeMs);
      if (missed === undefined) return false;
      for (const file of missed) {
        if (!(yield* this.#discovery.readBetween(path, file))) return false;
        this.add(path, file.mtimeMs, look);
      }
    }
    return true;
  }

  #isOver(path: string, { since }: Vacancy): boolean {
    // Whatever is known to be at the path was seen there, and so was everything before it.
    const isTaken = this.#setting.registry.ofPath(path).some(({ isEnded }) => !isEnded);
    if (!isTaken && this.#setting.scheduler.now() - since < FORGET_AFTER_MS) return false;
    this.#vacant.delete(path);
    if (!isTaken) this.#lanes.forgetLeft(path);
    return true;
  }
}
