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
}

/** Ends with an `event.id`, so it is different at every length. */
export const TAIL_BYTES = 48;

export function writeState({ id, length, tail, lanes }: FileState): Json {
  return { id, length, tail, lanes: Object.fromEntries(lanes) };
}

/** The state as the checkpoint has it; undefined if there is none or it is not one. */
export function readState(saved: Json | undefined): FileState | undefined {
  if (typeof saved !== 'object' || saved === null || Array.isArray(saved)) return undefined;
  const { id, length, tail, lanes } = saved as { readonly [key: string]: Json };
  if (typeof id !== 'string' || typeof length !== 'number' || typeof tail !== 'string') return undefined;
  if (typeof lanes !== 'object' || lanes === null) return undefined;
  const positions = Object.entries(lanes).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return { id, length, tail, lanes: new Map(positions) };
}
