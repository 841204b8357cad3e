import type { Json } from '../../model/json.js';

/** What a checkpoint knows of an output file. */
export interface FileState {
  /** Device and inode. */
  readonly id: string;
  /** Bytes that are in the sink's keeping. */
  readonly length: number;
  /** The last bytes before `length`, in base64: they tell the file from another one that got its inode. */
  readonly tail: string;
  /** How far each lane has come in this file, where that is further than its position in the checkpoint. */
  readonly lanes: ReadonlyMap<string, number>;
  /** Of a file that is rotated. */
  readonly rotation?: RotationState;
}

/** Where a file that is rotated stands. */
export interface RotationState {
  /** The last rotated file is path.number. */
  readonly number: number;
  /** Files up to this number were there before the first start: they are somebody else's. */
  readonly base: number;
  /** When the file's first line was written, in ms since 1970; 0 while it has none. */
  readonly begunAt: number;
}

/** Ends with an `event.id`, so it is different at every length. */
export const TAIL_BYTES = 48;

export function writeState({ id, length, tail, lanes, rotation }: FileState): Json {
  const state = { id, length, tail, lanes: Object.fromEntries(lanes) };
  return rotation === undefined ? state : { ...state, rotation: { ...rotation } };
}

/** The state as the checkpoint has it; undefined if there is none or it is not one. */
export function readState(saved: Json | undefined): FileState | undefined {
  if (!isObject(saved)) return undefined;
  const { id, length, tail, lanes } = saved;
  if (typeof id !== 'string' || typeof length !== 'number' || typeof tail !== 'string') return undefined;
  if (typeof lanes !== 'object' || lanes === null) return undefined;
  const positions = Object.entries(lanes).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  const rotation = readRotation(saved['rotation']);
  return { id, length, tail, lanes: new Map(positions), ...(rotation === undefined ? {} : { rotation }) };
}

function readRotation(saved: Json | undefined): RotationState | undefined {
  if (!isObject(saved)) return undefined;
  const { number, base, begunAt } = saved;
  if (typeof number !== 'number' || typeof base !== 'number' || typeof begunAt !== 'number') return undefined;
  return { number, base, begunAt };
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
