/** How many different hashes there are. */
export const HASHES: number = 2 ** 53;

/**
 * A 53-bit hash of a text, for spreading and telling apart, not for secrets. Source: cyrb53, bryc, public domain
 * (github.com/bryc/code, jshash/experimental/cyrb53.js), which mixes as MurmurHash3 does.
 */
export function hash53(text: string, seed = 0): number {
  let high = 0xdeadbeef ^ seed;
  let low = 0x41c6ce57 ^ seed;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}
