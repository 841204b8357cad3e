import type { Incarnation } from './incarnation.js';
import { prefixesOf, stemOf } from './names.js';

/** All incarnations that are known, by file, by place and by path. */
export class Registry {
  readonly #all = new Set<Incarnation>();
  readonly #aside = new Set<Incarnation>();
  readonly #byFile = new Map<string, Incarnation>();
  readonly #byLocation = new Map<string, Incarnation>();
  readonly #byPath = new Map<string, Incarnation[]>();
  /** Paths that incarnations have or had, by their stem. */
  readonly #byStem = new Map<string, Set<string>>();
  #matched: ReadonlySet<string> = new Set<string>();

  get all(): ReadonlySet<Incarnation> {
    return this.#all;
  }

  get size(): number {
    return this.#all.size;
  }

  has(incarnation: Incarnation): boolean {
    return this.#all.has(incarnation);
  }

  /** Whether a file is some incarnation's. */
  owns(fileId: string): boolean {
    return this.#byFile.has(fileId);
  }

  /** Whose file it is; of several that had it, the latest. */
  owner(fileId: string): Incarnation | undefined {
    return this.#byFile.get(fileId);
  }

  at(location: string): Incarnation | undefined {
    return this.#byLocation.get(location);
  }

  /** Those that have or had a path, in the order they were found. */
  ofPath(path: string): readonly Incarnation[] {
    return this.#byPath.get(path) ?? [];
  }

  /** Those whose renamed or copied file a path may be, by its name. */
  relatedTo(path: string): Incarnation[] {
    const paths = prefixesOf(path).flatMap((prefix) => [prefix, ...(this.#byStem.get(prefix) ?? [])]);
    return [...new Set(paths)].filter((other) => other !== path).flatMap((other) => this.ofPath(other));
  }

  add(incarnation: Incarnation): void {
    const stem = stemOf(incarnation.path);
    this.#byStem.set(stem, (this.#byStem.get(stem) ?? new Set()).add(incarnation.path));
    this.#all.add(incarnation);
    this.#byFile.set(incarnation.fileId, incarnation);
    this.#byLocation.set(incarnation.location, incarnation);
    this.#byPath.set(incarnation.path, [...this.ofPath(incarnation.path), incarnation]);
  }

  move(incarnation: Incarnation, location: string, fileId: string): void {
    this.disown(incarnation);
    incarnation.location = location;
    incarnation.fileId = fileId;
    this.#byFile.set(fileId, incarnation);
    this.#byLocation.set(location, incarnation);
  }

  /** Its file is another one's now, or nobody's. */
  disown(incarnation: Incarnation): void {
    const { fileId, location } = incarnation;
    // Another one may have come to the place since.
    if (this.#byFile.get(fileId) === incarnation) this.#byFile.delete(fileId);
    if (this.#byLocation.get(location) === incarnation) this.#byLocation.delete(location);
  }

  remove(incarnation: Incarnation): void {
    this.#all.delete(incarnation);
    this.disown(incarnation);
    const others = this.ofPath(incarnation.path).filter((other) => other !== incarnation);
    if (others.length === 0) this.#forgetPath(incarnation.path);
    else this.#byPath.set(incarnation.path, others);
  }

  #forgetPath(path: string): void {
    this.#byPath.delete(path);
    const stem = stemOf(path);
    const paths = this.#byStem.get(stem);
    paths?.delete(path);
    if (paths?.size === 0) this.#byStem.delete(stem);
  }

  /** What the patterns match now. */
  setMatched(paths: readonly string[]): void {
    this.#matched = new Set(paths);
  }

  /** Not to be read for as long as the patterns do not match it. */
  setAside(incarnation: Incarnation): void {
    this.#aside.add(incarnation);
  }

  isAside(incarnation: Incarnation): boolean {
    return this.#aside.has(incarnation);
  }

  /** Those that were set aside and are matched now. */
  takeMatched(): Incarnation[] {
    const matched = [...this.#aside].filter((incarnation) => this.has(incarnation) && this.isMatched(incarnation.path));
    for (const incarnation of matched) this.#aside.delete(incarnation);
    return matched;
  }

  isMatched(path: string): boolean {
    return this.#matched.has(path);
  }
}
