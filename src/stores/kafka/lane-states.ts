import { defer, filter, map, of, take, toArray } from 'rxjs';
import type { Observable } from 'rxjs';
import { MillraceError } from '../../model/errors.js';
import type { Json } from '../../model/json.js';
import type { IncomingMessage, Kafka, KafkaConnection } from '../../model/kafka.js';
import { piecesOf } from './pieces.js';
import type { Weighed } from './requests.js';

/** Where the states of lanes are kept: a compacted topic. */
export interface LaneStateTopic {
  readonly connection: KafkaConnection;
  readonly topic: string;
}

/** What is committed with an offset: where the record of the lane's state is. */
const TEXT = /^state (\d+):(\d+) (\d+) (.*)$/s;

interface Committed {
  readonly partition: number;
  readonly offset: number;
  readonly pieces: number;
  /** The key without the number of the piece. */
  readonly key: string;
}

function committedOf(text: string): Committed | undefined {
  const [, partition, offset, pieces, key] = TEXT.exec(text) ?? [];
  if (key === undefined) return undefined;
  return { partition: Number(partition), offset: Number(offset), pieces: Number(pieces), key };
}

const pieceKey = (key: string, piece: number): string => `${key}/${piece}`;

/**
 * The state that a text speaks of which was committed with an offset: exactly this record, whatever was written later.
 * Emits undefined when no state was committed.
 */
export function loadLaneState(
  { connection, topic }: LaneStateTopic,
  text: string | undefined,
  kafka: Kafka,
): Observable<Json | undefined> {
  return defer(() => {
    const committed = text === undefined ? undefined : committedOf(text);
    if (committed === undefined) return of(undefined);
    const { partition, offset, pieces, key } = committed;
    const keys = new Set(Array.from({ length: pieces }, (_, piece) => pieceKey(key, piece)));
    return kafka.read(connection, { topic, partition, from: offset }).pipe(
      filter((message) => message.key !== null && keys.has(Buffer.from(message.key).toString())),
      take(pieces),
      toArray(),
      map((found) => stateOf(found, pieces, text ?? '')),
    );
  });
}

function stateOf(found: readonly IncomingMessage[], pieces: number, text: string): Json {
  if (found.length < pieces) throw new MillraceError('MILLRACE_E_CHECKPOINT_UNREADABLE', `there is no ${text}`);
  const whole = found.map(({ value }) => Buffer.from(value ?? []).toString()).join('');
  return JSON.parse(whole) as Json;
}

/** Records to be written, and what has to be committed once it is known where the first one is. */
export interface NextState {
  readonly messages: readonly Weighed[];
  readonly partition: number;
  readonly textAt: (offset: number) => string;
}

/**
 * The states of a lane while it is ours. Keys are lane/generation/(n mod 2): the record that the last commit speaks of is
 * never overwritten before the next commit, neither by ourselves nor by a predecessor that still writes.
 */
export class LaneStateWriter {
  readonly #lane: string;
  readonly #generation: string;
  readonly #partition: number;
  #count = 0;
  /** Keys that nobody needs when the next state is committed: the predecessor's, or those of a longer state. */
  readonly #pieces = [0, 0];
  #left: readonly string[];

  /** `generation`: a name for this time of the lane, that no other has. `text`: what the predecessor has committed. */
  constructor(lane: string, generation: string, partition: number, text: string | undefined) {
    this.#lane = lane;
    this.#generation = generation;
    this.#partition = partition;
    this.#left = keysOf(text);
  }

  next(state: Json): NextState {
    const slot = this.#count++ % 2;
    const key = `${this.#lane}/${this.#generation}/${slot}`;
    const texts = piecesOf(JSON.stringify(state));
    const before = this.#pieces[slot] ?? 0;
    this.#pieces[slot] = texts.length;
    const gone = Array.from({ length: Math.max(0, before - texts.length) }, (_, at) => texts.length + at);
    const messages = [
      ...texts.map((text, piece) => this.#record(pieceKey(key, piece), text)),
      ...gone.map((piece) => this.#record(pieceKey(key, piece), null)),
      // With the second state, for only then is the first one committed.
      ...(this.#count === 2 ? this.#left.map((each) => this.#record(each, null)) : []),
    ];
    const { length } = texts;
    return {
      messages,
      partition: this.#partition,
      textAt: (offset) => `state ${this.#partition}:${offset} ${length} ${key}`,
    };
  }

  #record(key: string, value: string | null): Weighed {
    const bytes = 3 * (key.length + (value?.length ?? 0)) + 100;
    return { message: { partition: this.#partition, key, value, headers: {} }, bytes };
  }
}

/** The keys of both states of a predecessor, as far as one knows them. */
function keysOf(text: string | undefined): readonly string[] {
  const committed = text === undefined ? undefined : committedOf(text);
  if (committed === undefined) return [];
  const { key, pieces } = committed;
  const both = [key, `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`];
  return both.flatMap((each) => Array.from({ length: pieces }, (_, piece) => pieceKey(each, piece)));
}
