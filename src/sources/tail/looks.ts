import { MillraceError } from '../../model/errors.js';
import { defer, from, merge, mergeMap, of, Subject, timer } from 'rxjs';
import type { Observable } from 'rxjs';
import { steps, wait } from '../../operators/steps.js';
import type { Routine } from '../../operators/steps.js';
import { workWhile } from '../../operators/work-while.js';
import { archiveFormatOf } from './archive-file.js';
import { Discovery } from './discovery.js';
import type { Folders } from './folders.js';
import type { Incarnation } from './incarnation.js';
import type { Lanes } from './lanes.js';
import { CONCURRENCY, Looker } from './looker.js';
import type { Seen } from './looker.js';
import { isCompressed } from './names.js';
import { restore, resume, verify } from './restart.js';
import { Search } from './rotation.js';
import type { Found } from './rotation.js';
import type { Setting } from './setting.js';
import { FORGET_AFTER_MS, Vacancies } from './vacancies.js';

/** Changes often come in bursts: a rotation is several. */
const LOOK_DELAY_MS = 10;
/** So many files nobody reported a change of are looked at each time; with more of them, by turns. */
const QUIET_FILES_A_LOOK = 1000;
/** So often the patterns are matched again when there are many files. */
const LOOKS_A_GLOB = 5;

/** Looks at the files, one look at a time: which are there, what has become of the known ones, which are new. */
export class Looks {
  readonly #setting: Setting;
  readonly #lanes: Lanes;
  readonly #folders: Folders;
  readonly #ended: () => void;
  readonly #looker: Looker;
  readonly #discovery: Discovery;
  readonly #vacancies: Vacancies;
  readonly #requests = new Subject<void>();
  readonly #missing = new Set<string>();
  #isWanted = false;
  #isLooking = false;
  #isRestored = false;
  #count = 0;
  #turn = 0;

  constructor(setting: Setting, lanes: Lanes, folders: Folders, ended: () => void) {
    this.#setting = setting;
    this.#lanes = lanes;
    this.#folders = folders;
    this.#ended = ended;
    this.#looker = new Looker(setting.files);
    this.#discovery = new Discovery(
      setting,
      lanes,
      folders,
      this.#looker,
      () => this.soon(),
      (path) => this.#vacancies.since(path),
    );
    this.#vacancies = new Vacancies(setting, lanes, this.#discovery);
  }

  /** Looks while it is subscribed. */
  get looking(): Observable<never> {
    const { context, options, scheduler } = this.#setting;
    const ticks = context.once ? of(0) : timer(0, options.pollMs, scheduler);
    const look = defer(() => steps<never>(() => this.#look()));
    return merge(ticks, this.#requests).pipe(workWhile(() => this.#isWanted, look));
  }

  /** Everything that is there was looked at, and nothing about it is in question. */
  get areDone(): boolean {
    return !this.#isWanted && !this.#isLooking && this.#count > 0;
  }

  soon(): void {
    this.#isWanted = true;
    this.#requests.next();
  }

  *#look(): Routine {
    const { context, options, registry, scheduler } = this.#setting;
    const isFirst = this.#count === 0;
    if (this.#isWanted && !isFirst) yield* wait(timer(LOOK_DELAY_MS, scheduler));
    const isAsked = this.#isWanted;
    this.#isWanted = false;
    this.#isLooking = true;
    const paths = yield* this.#paths(isFirst || isAsked);
    if (isFirst && !this.#isRestored) restore(this.#setting);
    this.#isRestored = true;
    const due = this.#due();
    for (const incarnation of due) incarnation.endBeforeLook = incarnation.end;
    const files = yield* this.#looker.statAll([...new Set([...paths, ...due.map(({ location }) => location)])]);
    const at = new Map(files.map((file) => [file.path, file]));
    if (isFirst) yield* verify(due, at, this.#setting, this.#looker);
    const isClear = yield* this.#findAll(due, at);
    // Where the last life ended has to be certain before anything is read.
    if (isFirst && !isClear) return;
    const isOrdered = isFirst && options.order === 'oldestFirst';
    this.#lanes.inOrder(isOrdered);
    if (isFirst) resume(isOrdered ? [...due].sort(oldestFirst) : due, this.#setting, this.#lanes);
    // What looks new may be what was not found.
    for (const incarnation of registry.takeMatched()) this.#lanes.readInSequence(incarnation);
    const unknown = isClear ? paths.flatMap((path) => at.get(path) ?? []) : [];
    if (isOrdered) unknown.sort((a, b) => a.mtimeMs - b.mtimeMs);
    if (isFirst && context.isFirstStart && !isOrdered) {
      // Nothing is known that one of them could be a copy of, so their order does not matter.
      const discoverOne = (file: Seen): Observable<never> => steps<never>(() => this.#discovery.discover(file, true));
      yield* wait(from(unknown).pipe(mergeMap(discoverOne, CONCURRENCY)));
    } else {
      for (const file of unknown) yield* this.#discovery.discover(file, isFirst);
    }
    this.#lanes.inOrder(false);
    this.#count++;
    this.#isLooking = false;
    context.behind([...registry.all].reduce((bytes, { unread }) => bytes + unread, 0));
    this.#ended();
  }

  /** What the patterns match. With many files not at every look. */
  *#paths(isNeeded: boolean): Routine<readonly string[]> {
    const { options, registry } = this.#setting;
    const isMany = registry.size > QUIET_FILES_A_LOOK;
    if (!isNeeded && isMany && this.#count % LOOKS_A_GLOB !== 0) return [];
    const { paths, exclude } = options;
    const found = yield* this.#looker.glob(paths, exclude);
    const readable = found.filter((path) => !isCompressed(path) || this.#canUnpack(path));
    registry.setMatched(readable);
    if (readable.length === 0) this.#reportMissing();
    for (const pattern of paths) this.#folders.watchFolderOf(pattern.replace(/[*?[{(!].*$/s, ''));
    return readable;
  }

  #canUnpack(path: string): boolean {
    const format = archiveFormatOf(path);
    if (format === undefined || this.#setting.canUnpack(format)) return format !== undefined;
    if (!this.#missing.has(path)) {
      this.#missing.add(path);
      const { code, message } = new MillraceError('MILLRACE_E_ARCHIVE_UNSUPPORTED', path);
      this.#setting.context.report({ level: 'error', code, message });
    }
    return false;
  }

  #reportMissing(): void {
    const { context, options } = this.#setting;
    for (const pattern of options.paths) {
      if (this.#missing.has(pattern)) continue;
      this.#missing.add(pattern);
      const message = context.once ? 'no file matches' : 'no file matches yet; waiting for one';
      context.report({ level: 'warn', message: `${pattern}: ${message}` });
    }
  }

  /** Incarnations to look at this time: all, or by turns when there are many. */
  #due(): Incarnation[] {
    const all = [...this.#setting.registry.all];
    if (all.length <= QUIET_FILES_A_LOOK || this.#count === 0) return all;
    const first = (this.#turn * QUIET_FILES_A_LOOK) % all.length;
    this.#turn++;
    const turn = new Set(all.slice(first, first + QUIET_FILES_A_LOOK));
    return all.filter((incarnation) => turn.has(incarnation) || incarnation.isBusy || incarnation.isRewritten);
  }

  /** Finds out where incarnations are. False when files were renamed meanwhile, so that it has to be done again. */
  *#findAll(due: readonly Incarnation[], at: ReadonlyMap<string, Seen>): Routine<boolean> {
    const { registry } = this.#setting;
    const search = new Search(this.#looker, registry, [...at.values()]);
    const removed: Incarnation[] = [];
    let isClear = true;
    for (const incarnation of due) {
      if (!registry.has(incarnation) || incarnation.isGone) continue;
      const where = yield* search.locate(incarnation, at.get(incarnation.location));
      if ('file' in where) this.#found(incarnation, where);
      else if (where.kind === 'removed') removed.push(incarnation);
      else isClear = false;
    }
    for (const incarnation of removed) {
      if (yield* search.hasMoved(incarnation.path)) isClear = false;
      else this.#removed(incarnation, at.get(incarnation.location));
    }
    if (isClear) isClear = yield* this.#vacancies.search(at, search, this.#count);
    if (!isClear) this.soon();
    return isClear;
  }

  #found(incarnation: Incarnation, { kind, file }: Found): void {
    const hasMoved = incarnation.location !== file.path;
    const isEnded = kind === 'ended';
    this.#place(incarnation, isEnded, file);
    // In the last life it may have been found there already, and what came after it not have been saved.
    if (isEnded && (hasMoved || this.#count === 0)) this.#vacancies.add(incarnation.path, file.mtimeMs, this.#count);
    if (isEnded && incarnation.isCaughtUp) this.#forgetWhenQuiet(incarnation);
  }

  #place(incarnation: Incarnation, isEnded: boolean, file: Seen): void {
    const { registry, scheduler } = this.#setting;
    const isOther = file.id !== incarnation.fileId;
    const hasMoved = file.path !== incarnation.location;
    const isArchive = archiveFormatOf(file.path) !== undefined;
    const lastSize = incarnation.fileSize ?? (isArchive ? file.size : incarnation.seenSize);
    const hasGrown = file.size !== lastSize;
    const isDoubtful = incarnation.isRewritten || incarnation.isAstray;
    const hasChanged = isOther || isDoubtful || hasGrown || file.mtimeMs !== incarnation.seenMtimeMs;
    const endsNow = isEnded && !incarnation.isEnded;
    // Whoever writes to a file that was just renamed may not have noticed yet.
    if (hasGrown || endsNow) incarnation.grownAt = scheduler.now();
    if (isOther) incarnation.isUnchanged = false;
    incarnation.isRewritten = false;
    incarnation.isAstray = false;
    incarnation.isEnded = isEnded;
    incarnation.fileSize = file.size;
    if (!isArchive) incarnation.seenSize = file.size;
    incarnation.seenMtimeMs = file.mtimeMs;
    registry.move(incarnation, file.path, file.id);
    this.#folders.watchFolderOf(file.path);
    // The open file is the one that was cut; the rest is elsewhere.
    if (isOther) incarnation.signal('close');
    if (!hasChanged && !endsNow && !hasMoved) return;
    // More may have been written after the last look, before it was packed.
    if (isArchive ? hasChanged : incarnation.unread > 0) incarnation.isCaughtUp = false;
    this.#lanes.nudge(incarnation);
  }

  #removed(incarnation: Incarnation, at: Seen | undefined): void {
    const { path, provenMtimeMs, unread } = incarnation;
    if (provenMtimeMs > 0) this.#vacancies.add(path, provenMtimeMs, this.#count);
    const wasCut = at?.id === incarnation.fileId;
    const isHeld = incarnation.end > incarnation.position;
    if ((incarnation.isOpen && !wasCut) || isHeld) {
      if (wasCut && incarnation.seenSize > incarnation.end)
        this.#reportLost(path, incarnation.seenSize - incarnation.end, true);
      // Removed, but open: what is in it can still be read. Or it was read already, and waits for the rest of its line or
      // event.
      incarnation.isGone = true;
      incarnation.isEnded = true;
      this.#setting.registry.disown(incarnation);
      this.#lanes.nudge(incarnation);
      return;
    }
    if (unread > 0) this.#reportLost(path, unread, wasCut);
    this.#lanes.leave(incarnation);
  }

  #reportLost(path: string, bytes: number, wasCut: boolean): void {
    const message = `${path}: ${bytes} bytes were ${wasCut ? 'cut off' : 'removed'} before they were read`;
    this.#setting.context.report({ level: 'error', code: 'MILLRACE_E_TAIL_LOST', message, details: { bytes } });
  }

  #forgetWhenQuiet(incarnation: Incarnation): void {
    const { options, registry, scheduler } = this.#setting;
    const isQuiet = scheduler.now() - incarnation.grownAt >= FORGET_AFTER_MS;
    // It would be unknown when it is compressed.
    if (!incarnation.isArchive && options.paths.some(mayMatchArchives)) return;
    if (isQuiet && !registry.isMatched(incarnation.location)) this.#lanes.drop(incarnation);
  }
}

/** Whether files that a pattern matches may be archives. */
function mayMatchArchives(pattern: string): boolean {
  return archiveFormatOf(pattern) !== undefined || /[*}]$/.test(pattern);
}

function oldestFirst(a: Incarnation, b: Incarnation): number {
  return a.seenMtimeMs - b.seenMtimeMs;
}
