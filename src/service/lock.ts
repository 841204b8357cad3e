import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { MillraceError } from '../model/errors.js';
import { fileError } from './node-files.js';

/** A process, also told from a later one that got the same pid. */
interface Holder {
  readonly pid: number;
  readonly startedAt: string;
}

/** When a process started, in the kernel's ticks; empty where the system does not say. See proc(5), field 22. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name may hold anything, so the fields are counted from its closing parenthesis.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function isAlive({ pid, startedAt }: Holder, kill: (pid: number) => void): boolean {
  try {
    kill(pid);
  } catch (error) {
    // Somebody else's process may not be signalled, but it is there.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return startedAt === '' || startedAt === startOf(pid);
}

function holderOf(path: string): Holder | undefined {
  try {
    const [pid = '', startedAt = ''] = readFileSync(path, 'utf8').split('\n');
    return { pid: Number(pid), startedAt };
  } catch {
    return undefined;
  }
}

/**
 * Takes the checkpoints for this process, all or none, and gives what releases them. Throws
 * MILLRACE_E_CHECKPOINT_LOCKED with the pid of another process that has one of them, and MILLRACE_E_FILE_… when a lock
 * cannot be written (yet). The lock of a process that is gone does not count. `signal`: sends signal 0.
 */
export function lockCheckpoints(paths: readonly string[], pid: number, signal: (pid: number) => void): () => void {
  const taken: string[] = [];
  const release = (): void => {
    for (const lock of taken) if (holderOf(lock)?.pid === pid) unlinkSync(lock);
  };
  for (const path of paths) {
    try {
      taken.push(lockOne(path, pid, signal));
    } catch (error) {
      release();
      if (error instanceof MillraceError) throw error;
      const fault = error as NodeJS.ErrnoException;
      throw fileError(fault, fault.path ?? path);
    }
  }
  return release;
}

function lockOne(path: string, pid: number, signal: (pid: number) => void): string {
  const lock = `${path}.lock`;
  const own = `${lock}.${pid}`;
  mkdirSync(dirname(path), { recursive: true });
  try {
    writeFileSync(own, `${pid}\n${startOf(pid)}\n`);
    // Linking fails when the name is taken, and the content is there at once.
    while (!tryLink(own, lock)) evictDead(lock, pid, path, signal);
  } finally {
    rmSync(own, { force: true });
  }
  return lock;
}

function tryLink(own: string, lock: string): boolean {
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function evictDead(lock: string, pid: number, path: string, signal: (pid: number) => void): void {
  const holder = holderOf(lock);
  if (holder === undefined) return;
  if (isAlive(holder, signal)) {
    throw new MillraceError('MILLRACE_E_CHECKPOINT_LOCKED', `${path}, pid ${holder.pid}`);
  }
  // Renamed first: of two processes that find the same dead one, one gets it, and the other sees whose it took.
  const taken = `${lock}.dead.${pid}`;
  try {
    renameSync(lock, taken);
  } catch {
    return;
  }
  const evicted = holderOf(taken);
  if (evicted !== undefined && isAlive(evicted, signal)) tryLink(taken, lock);
  unlinkSync(taken);
}
