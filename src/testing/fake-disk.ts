import type { FolderChange } from '../model/files.js';
import { folderOf, nameOf } from '../model/files.js';
import type { Seeded } from './seeded.js';

/** A change of content that was not synced. */
type Change = { readonly at: number; readonly bytes: Buffer } | { readonly length: number };

/** A file, whatever it is called. */
export interface Inode {
  readonly number: number;
  /** What everybody sees. */
  content: Buffer;
  /** What is left after a power failure, with any part of `pending`. */
  durable: Buffer;
  pending: Change[];
  mtimeMs: number;
  handles: number;
  /** A name of it was taken away: it may have none left. */
  hasLostName: boolean;
}

/** Entries of a folder that were changed and not synced: a rename is two at once. */
interface EntryChange {
  readonly folder: string;
  readonly entries: readonly (readonly [path: string, inode: Inode | undefined])[];
}

/** What luck and time are on a disk. */
export interface DiskOptions {
  readonly random: Seeded;
  readonly now: () => number;
  /** The inode number of a removed file is given to the next new one, as ext4 does. Default true. */
  readonly reusesInodes?: boolean;
}

function applied(content: Buffer, change: Change): Buffer {
  if ('length' in change) {
    return Buffer.concat([
      content.subarray(0, change.length),
      Buffer.alloc(Math.max(0, change.length - content.length)),
    ]);
  }
  const { at, bytes } = change;
  const gap = Buffer.alloc(Math.max(0, at - content.length));
  return Buffer.concat([content.subarray(0, at), gap, bytes, content.subarray(at + bytes.length)]);
}

/**
 * A disk that outlives the processes that use it. Methods named like a program's work (`append`, `rotate` …) are the
 * world's: other processes, whose files survive a crash. What the process under test does comes in through `FakeFiles`.
 */
export class FakeDisk {
  readonly now: () => number;
  readonly random: Seeded;
  readonly #reusesInodes: boolean;
  readonly #folders = new Set<string>(['/']);
  readonly #watchers = new Map<string, Set<(change: FolderChange) => void>>();
  readonly #free: number[] = [];
  #entries = new Map<string, Inode>();
  #durableEntries = new Map<string, Inode>();
  #entryChanges: EntryChange[] = [];
  #lastNumber = 0;

  constructor({ random, now, reusesInodes = true }: DiskOptions) {
    this.random = random;
    this.now = now;
    this.#reusesInodes = reusesInodes;
  }

  // ---- what can be seen

  get paths(): readonly string[] {
    return [...this.#entries.keys()];
  }

  inode(path: string): Inode | undefined {
    return this.#entries.get(path);
  }

  isFolder(path: string): boolean {
    return this.#folders.has(path);
  }

  content(path: string): Buffer {
    return this.#entries.get(path)?.content ?? Buffer.alloc(0);
  }

  text(path: string): string {
    return this.content(path).toString();
  }

  /** What a power failure would leave of a path for sure. */
  durableText(path: string): string {
    return this.#durableEntries.get(path)?.durable.toString() ?? '';
  }

  // ---- the world

  append(path: string, bytes: string | Uint8Array): Inode {
    const inode = this.#entries.get(path) ?? this.#createdByWorld(path);
    this.appendTo(inode, bytes, path);
    return inode;
  }

  /** A writer that has the file open writes on, whatever its name is now. */
  appendTo(inode: Inode, bytes: string | Uint8Array, path?: string): void {
    this.#worldWrites(inode, Buffer.concat([inode.content, Buffer.from(bytes as string)]));
    const name = path ?? [...this.#entries].find(([, other]) => other === inode)?.[0];
    if (name !== undefined) this.#tell(name, 'content');
  }

  /** Truncates to nothing, keeping the inode, and writes. */
  rewrite(path: string, bytes: string | Uint8Array = ''): void {
    const inode = this.#entries.get(path) ?? this.#createdByWorld(path);
    this.#worldWrites(inode, Buffer.from(bytes as string));
    this.#tell(path, 'content');
  }

  copy(from: string, to: string): void {
    this.remove(to);
    this.append(to, this.content(from));
  }

  move(from: string, to: string): void {
    const inode = this.#entries.get(from);
    if (inode === undefined) return;
    this.remove(to);
    this.#setByWorld(from, undefined);
    this.#setByWorld(to, inode);
  }

  link(from: string, to: string): void {
    this.#setByWorld(to, this.#entries.get(from));
  }

  remove(path: string): void {
    const inode = this.#entries.get(path);
    if (inode === undefined) return;
    this.#setByWorld(path, undefined);
    inode.hasLostName = true;
    this.#freeIfUnused(inode);
  }

  /** As logrotate does before it makes a new `path.1`: `path.1` becomes `path.2`, and so on, compressed or not. */
  shift(path: string): void {
    const extensions = ['', '.gz'];
    let last = 0;
    while (extensions.some((extension) => this.#entries.has(`${path}.${last + 1}${extension}`))) last++;
    for (; last > 0; last--) {
      for (const extension of extensions) this.move(`${path}.${last}${extension}`, `${path}.${last + 1}${extension}`);
    }
  }

  makeFolder(path: string): void {
    for (let folder = path; !this.#folders.has(folder); folder = folderOf(folder)) this.#folders.add(folder);
  }

  #createdByWorld(path: string): Inode {
    this.makeFolder(folderOf(path));
    const inode = this.#newInode();
    this.#setByWorld(path, inode);
    return inode;
  }

  #worldWrites(inode: Inode, content: Buffer): void {
    inode.content = content;
    inode.durable = content;
    inode.pending = [];
    inode.mtimeMs = this.now();
  }

  #setByWorld(path: string, inode: Inode | undefined): void {
    for (const entries of [this.#entries, this.#durableEntries]) {
      if (inode === undefined) entries.delete(path);
      else entries.set(path, inode);
    }
    this.#tell(path, 'entry');
  }

  // ---- the process under test

  /** Creates a file whose name does not survive a power failure yet. */
  create(path: string): Inode {
    const inode = this.#newInode();
    this.changeEntries(folderOf(path), [[path, inode]]);
    return inode;
  }

  changeEntries(folder: string, entries: EntryChange['entries']): void {
    for (const [path, inode] of entries) {
      const before = this.#entries.get(path);
      if (inode === undefined) this.#entries.delete(path);
      else this.#entries.set(path, inode);
      if (before !== undefined && before !== inode) {
        before.hasLostName = true;
        this.#freeIfUnused(before);
      }
      this.#tell(path, 'entry');
    }
    this.#entryChanges.push({ folder, entries });
  }

  change(inode: Inode, change: Change): void {
    inode.content = applied(inode.content, change);
    inode.pending.push(change);
    inode.mtimeMs = this.now();
  }

  sync(inode: Inode): void {
    inode.durable = inode.content;
    inode.pending = [];
  }

  syncFolder(folder: string): void {
    for (const change of this.#entryChanges) if (change.folder === folder) this.#makeDurable(change);
    this.#entryChanges = this.#entryChanges.filter((change) => change.folder !== folder);
  }

  close(inode: Inode): void {
    inode.handles--;
    this.#freeIfUnused(inode);
  }

  watch(folder: string, hear: (change: FolderChange) => void): () => void {
    const hearing = this.#watchers.get(folder) ?? new Set();
    this.#watchers.set(folder, hearing.add(hear));
    return () => hearing.delete(hear);
  }

  /** What was not synced is gone, or torn, or was written all the same. */
  powerFails(): void {
    const kept = new Map<string, boolean>();
    for (const change of this.#entryChanges) {
      // Metadata is journalled in order: what follows a lost change is lost.
      const isKept = (kept.get(change.folder) ?? true) && this.random.chance(0.5);
      kept.set(change.folder, isKept);
      if (isKept) this.#makeDurable(change);
    }
    this.#entryChanges = [];
    const inodes = new Set([...this.#entries.values(), ...this.#durableEntries.values()]);
    this.#entries = new Map(this.#durableEntries);
    for (const inode of inodes) {
      inode.content = inode.pending.reduce<Buffer>((content, change) => this.#survives(content, change), inode.durable);
      this.sync(inode);
      inode.hasLostName = true;
      this.#freeIfUnused(inode);
    }
  }

  #survives(content: Buffer, change: Change): Buffer {
    const luck = this.random.below(3);
    if (luck === 0) return content;
    if (luck === 1 || 'length' in change) return applied(content, change);
    return applied(content, { at: change.at, bytes: change.bytes.subarray(0, this.random.below(change.bytes.length)) });
  }

  #makeDurable({ entries }: EntryChange): void {
    for (const [path, inode] of entries) {
      if (inode === undefined) this.#durableEntries.delete(path);
      else this.#durableEntries.set(path, inode);
    }
  }

  #newInode(): Inode {
    const number = (this.#reusesInodes ? this.#free.pop() : undefined) ?? ++this.#lastNumber;
    const empty = Buffer.alloc(0);
    return { number, content: empty, durable: empty, pending: [], mtimeMs: this.now(), handles: 0, hasLostName: false };
  }

  #freeIfUnused(inode: Inode): void {
    if (inode.handles > 0 || !inode.hasLostName || this.#free.includes(inode.number)) return;
    for (const entries of [this.#entries, this.#durableEntries]) {
      for (const other of entries.values()) if (other === inode) return;
    }
    this.#free.push(inode.number);
  }

  #tell(path: string, kind: FolderChange['kind']): void {
    for (const hear of this.#watchers.get(folderOf(path)) ?? []) hear({ name: nameOf(path), kind });
  }
}
