import { hash32 } from './chance.js';

/** Records come in blocks: what happens in a block is decided once, by its number, so any index can be asked alone. */
export const BLOCK_RECORDS = 16;

/** What a stretch of blocks looks like, and how often it comes. */
interface Cycle {
  readonly salt: number;
  /** There is one stretch in each cycle of this many blocks. */
  readonly everyBlocks: number;
  readonly leastBlocks: number;
  readonly mostBlocks: number;
}

/** Where a block lies in its stretch. */
export interface Stretch {
  /** 0 for the first block of the stretch. */
  readonly place: number;
  readonly blocks: number;
  /** Which stretch it is, the same number for all its blocks. */
  readonly number: number;
}

/** A dependency fails: timeouts, then an open circuit, then recovery. About every 1000 records. */
export const outage: Cycle = { salt: 101, everyBlocks: 64, leastBlocks: 6, mostBlocks: 12 };
/** Anomaly: everything takes 20 times as long. */
export const slowness: Cycle = { salt: 102, everyBlocks: 48, leastBlocks: 3, mostBlocks: 5 };
/** Anomaly: 20 times the traffic. */
export const rush: Cycle = { salt: 103, everyBlocks: 80, leastBlocks: 3, mostBlocks: 6 };

/** The stretch that a block lies in, or undefined. No stretch crosses the end of its cycle, and none begins with block 0. */
export function stretchAt(cycle: Cycle, seed: number, block: number): Stretch | undefined {
  const number = Math.floor(block / cycle.everyBlocks);
  const blocks = cycle.leastBlocks + (hash32(seed, number, cycle.salt) % (cycle.mostBlocks - cycle.leastBlocks + 1));
  const first = 1 + (hash32(seed, number, cycle.salt + 1000) % (cycle.everyBlocks - blocks));
  const place = (block % cycle.everyBlocks) - first;
  return place >= 0 && place < blocks ? { place, blocks, number } : undefined;
}

/** Where in a block a stack trace lies: an ERROR record at `head`, `frames` lines after it. */
export interface Trace {
  readonly head: number;
  readonly frames: number;
}

/** The stack trace of a block, or undefined: rare in calm blocks, frequent in an outage. Never at place 0 of the block. */
export function traceAt(seed: number, block: number, inOutage: boolean): Trace | undefined {
  if (hash32(seed, block, 201) % (inOutage ? 3 : 24) !== 0) return undefined;
  const frames = 4 + (hash32(seed, block, 202) % 6);
  return { head: 1 + (hash32(seed, block, 203) % (BLOCK_RECORDS - 1 - frames)), frames };
}
