import type { Checkpoint } from '../../model/checkpoint.js';
import { MillraceError } from '../../model/errors.js';
import type { IncomingMessage } from '../../model/kafka.js';
import type { Json } from '../../model/json.js';
import type { SavedLane } from '../../model/source.js';
import { piecesOf } from './pieces.js';
import type { Weighed } from './requests.js';

const VERSION = 1;
/** A character takes three bytes of UTF-8 at most. */
const MAX_BYTES_OF_CHARACTER = 3;
const PIECES = 'millrace-pieces';
const RECORD_OVERHEAD_BYTES = 100;

type Kind = 'owner' | 'lane' | 'sink' | 'stage';

/** What the topic has of one thing. */
interface Known {
  readonly value: unknown;
  readonly text: string;
  readonly pieces: number;
}

interface Owner {
  readonly version: number;
  readonly id: string;
}

/** A checkpoint that was read, and who wrote it. */
export interface ReadCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly owner: string;
}

const nameOf = (kind: Kind, name: string): string => JSON.stringify([kind, name]);

/**
 * A pipeline's checkpoint as records of a compacted topic: one for each lane, sink and stage, written when it changes.
 * Keys are [pipeline, kind, name, piece].
 */
export class CheckpointRecords {
  readonly #pipeline: string;
  readonly #known = new Map<string, Known>();

  constructor(pipeline: string) {
    this.#pipeline = pipeline;
  }

  /** The checkpoint that these records are, the latest of each key; undefined if none is of this pipeline. */
  read(latest: ReadonlyMap<string, IncomingMessage>): ReadCheckpoint | undefined {
    this.#known.clear();
    for (const [name, text, pieces] of this.#textsOf(latest)) {
      this.#known.set(name, { value: JSON.parse(text), text, pieces });
    }
    const owner = this.#known.get(nameOf('owner', ''))?.value as Owner | undefined;
    if (owner === undefined) return undefined;
    if (owner.version !== VERSION) {
      throw new MillraceError('MILLRACE_E_CHECKPOINT_VERSION', `version ${owner.version} in the state topic`);
    }
    const checkpoint = {
      lanes: this.#of<SavedLane>('lane'),
      sinks: this.#of<Json>('sink'),
      stages: this.#of<Json>('stage'),
    };
    return { checkpoint, owner: owner.id };
  }

  /** The records that make the topic say this. From now on it counts as said. */
  changes({ lanes, sinks, stages }: Checkpoint, owner: string): readonly Weighed[] {
    const changes: Weighed[] = [];
    const names = new Set<string>();
    const add = (kind: Kind, name: string, value: unknown): void => {
      const key = nameOf(kind, name);
      names.add(key);
      changes.push(...this.#change(key, value));
    };
    add('owner', '', this.#ownerOf(owner));
    for (const [id, lane] of lanes) add('lane', id, lane);
    for (const [name, state] of sinks) add('sink', name, state);
    for (const [name, state] of stages) add('stage', name, state);
    for (const [name, { pieces }] of this.#known) {
      if (names.has(name)) continue;
      this.#known.delete(name);
      for (let piece = 0; piece < pieces; piece++) changes.push(this.#record(name, piece, null, pieces));
    }
    return changes;
  }

  #ownerOf(id: string): Owner {
    return { version: VERSION, id };
  }

  #of<T>(kind: Kind): Map<string, T> {
    const found = new Map<string, T>();
    for (const [key, { value }] of this.#known) {
      const [itsKind, name] = JSON.parse(key) as [Kind, string];
      if (itsKind === kind) found.set(name, value as T);
    }
    return found;
  }

  #change(name: string, value: unknown): Weighed[] {
    const known = this.#known.get(name);
    // What has not changed is the same object: of thousands of lanes only few are written anew.
    if (known?.value === value) return [];
    const text = JSON.stringify(value);
    const texts = piecesOf(text);
    const pieces = texts.length;
    this.#known.set(name, { value, text, pieces });
    if (known?.text === text) return [];
    const count = Math.max(pieces, known?.pieces ?? 0);
    return Array.from({ length: count }, (_, piece) => this.#record(name, piece, texts[piece] ?? null, pieces));
  }

  #record(name: string, piece: number, value: string | null, pieces: number): Weighed {
    const [kind, of] = JSON.parse(name) as [Kind, string];
    const key = JSON.stringify([this.#pipeline, kind, of, piece]);
    const bytes = RECORD_OVERHEAD_BYTES + (key.length + (value?.length ?? 0)) * MAX_BYTES_OF_CHARACTER;
    return { message: { partition: 0, key, value, headers: { [PIECES]: String(pieces) } }, bytes };
  }

  /** Of each thing its name, its text and how many pieces that is. */
  *#textsOf(latest: ReadonlyMap<string, IncomingMessage>): Generator<[name: string, text: string, pieces: number]> {
    for (const [key, { value, headers }] of latest) {
      const parts: unknown = key.startsWith('[') ? JSON.parse(key) : undefined;
      if (value === null || !Array.isArray(parts)) continue;
      const [pipeline, kind, of, piece] = parts as [string, Kind, string, number];
      if (pipeline !== this.#pipeline || piece !== 0) continue;
      const pieces = Number(String(headers[PIECES]));
      const texts = Array.from({ length: pieces }, (_, at) =>
        Buffer.from(latest.get(JSON.stringify([pipeline, kind, of, at]))?.value ?? []).toString(),
      );
      yield [nameOf(kind, of), texts.join(''), pieces];
    }
  }
}
