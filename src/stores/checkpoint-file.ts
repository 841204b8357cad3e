import type { Checkpoint, CheckpointStore } from '../model/checkpoint.js';
import { MillraceError, messageOf } from '../model/errors.js';
import { folderOf } from '../model/files.js';
import type { Files, OpenFile } from '../model/files.js';
import type { Json } from '../model/json.js';
import type { SavedLane } from '../model/source.js';
import { steps, wait } from '../operators/steps.js';
import type { Routine } from '../operators/steps.js';

/** The file is versioned, so that a later millrace can read it or say why not. */
const VERSION = 2;
/** Without what stages remember. */
const VERSION_WITHOUT_STAGES = 1;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isLane(value: unknown): value is SavedLane {
  return isRecord(value) && typeof value['position'] === 'number' && 'state' in value;
}

function decode(path: string, text: string): Checkpoint {
  const unreadable = (why: string): MillraceError =>
    new MillraceError('MILLRACE_E_CHECKPOINT_UNREADABLE', `${path}: ${why}; move it away to begin anew`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(messageOf(error));
  }
  if (!isRecord(value)) throw unreadable('not an object');
  if (value['version'] !== VERSION && value['version'] !== VERSION_WITHOUT_STAGES) {
    const found = JSON.stringify(value['version']) as string | undefined;
    throw new MillraceError('MILLRACE_E_CHECKPOINT_VERSION', `${path}: version ${found ?? 'missing'}, not ${VERSION}`);
  }
  const { lanes, sinks, stages = value['version'] === VERSION ? undefined : {} } = value;
  if (!isRecord(lanes) || !Object.values(lanes).every(isLane) || !isRecord(sinks) || !isRecord(stages))
    throw unreadable('parts are missing');
  return {
    lanes: new Map(Object.entries(lanes as Record<string, SavedLane>)),
    sinks: new Map(Object.entries(sinks as Record<string, Json>)),
    stages: new Map(Object.entries(stages as Record<string, Json>)),
  };
}

/** Most lanes are as they were at the last save; with thousands of files that is most of the work. */
class Encoder {
  readonly #texts = new WeakMap<SavedLane, string>();

  encode({ lanes, sinks, stages }: Checkpoint): Uint8Array {
    const texts = [...lanes].map(([id, lane]) => `${JSON.stringify(id)}:${this.#textOf(lane)}`);
    const rest = `"sinks":${JSON.stringify(Object.fromEntries(sinks))},"stages":${JSON.stringify(Object.fromEntries(stages))}`;
    return Buffer.from(`{"version":${VERSION},"lanes":{${texts.join(',')}},${rest}}`);
  }

  #textOf(lane: SavedLane): string {
    let text = this.#texts.get(lane);
    if (text === undefined) {
      text = JSON.stringify(lane);
      this.#texts.set(lane, text);
    }
    return text;
  }
}

function* closing<R>(file: OpenFile, use: Routine<R>): Routine<R> {
  try {
    return yield* use;
  } finally {
    // What matters was synced; there is nobody left to tell of an error.
    file.close().subscribe({ error: () => undefined });
  }
}

function* readAll(file: OpenFile): Routine<string> {
  const { size } = yield* wait(file.stat());
  const content = Buffer.alloc(size);
  const count = size === 0 ? 0 : yield* wait(file.read(content, 0));
  return content.toString('utf8', 0, count);
}

function* writeDurably(file: OpenFile, bytes: Uint8Array): Routine {
  yield* wait(file.write(bytes, 0));
  yield* wait(file.sync());
}

/**
 * Checkpoints in a file: written beside it, synced, renamed over it, and the folder synced, so that after a crash there
 * is the old one or the new one. Errors: MILLRACE_E_FILE_… are transient; MILLRACE_E_CHECKPOINT_… are not.
 */
export function checkpointFile(path: string, files: Files): CheckpointStore {
  const folder = folderOf(path);
  const next = `${path}.tmp`;
  const encoder = new Encoder();
  return {
    load: () =>
      steps(function* (emit) {
        const stat = yield* wait(files.stat(path));
        if (stat === undefined) emit(undefined);
        else {
          const file = yield* wait(files.open(path, 'read'));
          const checkpoint = decode(path, yield* closing(file, readAll(file)));
          // Killed after the rename: whoever acts on what a power failure could still take back would do it for good.
          yield* wait(files.syncFolder(folder));
          emit(checkpoint);
        }
      }),
    save: (checkpoint) =>
      steps(function* () {
        yield* wait(files.makeFolder(folder));
        const file = yield* wait(files.open(next, 'replace'));
        yield* closing(file, writeDurably(file, encoder.encode(checkpoint)));
        yield* wait(files.rename(next, path));
        yield* wait(files.syncFolder(folder));
      }),
  };
}
