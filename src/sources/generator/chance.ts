/** A number from 0 to `below` - 1. The same `salt` gives the same number again: it names the question. */
export type Draw = (salt: number, below: number) => number;

/** The finaliser of MurmurHash3 (fmix32, Austin Appleby, public domain): each bit of `value` reaches every bit of the result. */
function finalise(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** What is the same for all questions about (seed, index). `index` may exceed 32 bits. */
function base(seed: number, index: number): number {
  const low = finalise((index | 0) ^ finalise(seed + 0x9e3779b9));
  const high = Math.floor(index / 0x1_0000_0000);
  return high === 0 ? low : finalise(low ^ high);
}

function salted(base: number, salt: number): number {
  return finalise(base + Math.imul(salt, 0x9e3779b9)) >>> 0;
}

/** A well-mixed unsigned 32-bit hash of three integers. */
export function hash32(seed: number, index: number, salt: number): number {
  return salted(base(seed, index), salt);
}

/** The draws of one index: a function of (seed, index, salt) and nothing else. */
export function drawFor(seed: number, index: number): Draw {
  const ofIndex = base(seed, index);
  // Multiplied, not divided: a division of unsigned numbers costs more than the hash.
  return (salt, below) => Math.floor((salted(ofIndex, salt) / 0x1_0000_0000) * below);
}
