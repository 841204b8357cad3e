/**
 * What became of the records of a leg. Exactly: read + expanded = delivered + filtered + deadLettered + duplicates.
 * Counted where it happens, added once per batch, when the batch settles.
 */
export interface Counts {
  /** Records that entered. */
  readonly read: number;
  /** Events made beyond one a record. */
  readonly expanded: number;
  /** Events that stages dropped on purpose. */
  readonly filtered: number;
  /** Events in the sink's keeping. */
  readonly delivered: number;
  readonly deadLettered: number;
  /** Events that the sink already had from before a crash. */
  readonly duplicates: number;
}

export const noCounts: Counts = { read: 0, expanded: 0, filtered: 0, delivered: 0, deadLettered: 0, duplicates: 0 };

export function addCounts(a: Counts, b: Counts): Counts {
  return {
    read: a.read + b.read,
    expanded: a.expanded + b.expanded,
    filtered: a.filtered + b.filtered,
    delivered: a.delivered + b.delivered,
    deadLettered: a.deadLettered + b.deadLettered,
    duplicates: a.duplicates + b.duplicates,
  };
}

/** What has to hold at every moment, for every leg. */
export function isExact(counts: Counts): boolean {
  const { read, expanded, filtered, delivered, deadLettered, duplicates } = counts;
  return read + expanded === delivered + filtered + deadLettered + duplicates;
}

/** The ledger of a pipeline, or of one batch of it. */
export interface Ledger {
  /** The whole: outcomes are sums over the legs; read, expanded and deadLettered count once. */
  readonly total: Counts;
  /** By leg name. */
  readonly legs: Readonly<Record<string, Counts>>;
}

/** A ledger of nothing. Legs that are not named here come with what is added. */
export function emptyLedger(legs: readonly string[]): Ledger {
  return { total: noCounts, legs: Object.fromEntries(legs.map((leg) => [leg, noCounts])) };
}

/** Two ledgers as one. */
export function addLedgers(a: Ledger, b: Ledger): Ledger {
  const names = Object.keys({ ...a.legs, ...b.legs });
  const legs = names.map((leg) => [leg, addCounts(a.legs[leg] ?? noCounts, b.legs[leg] ?? noCounts)]);
  return { total: addCounts(a.total, b.total), legs: Object.fromEntries(legs) as Record<string, Counts> };
}
