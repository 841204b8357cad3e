const given = Number(process.env['ROUNDS']);

/** How often a test injects its fault: a few times in CI, as often as `ROUNDS` says in `npm run chaos`. */
export function rounds(inCi: number): number {
  return given > 0 ? given : inCi;
}

/** The time limit of a test with so many rounds. */
export function patience(inCi: number): { readonly timeout: number } {
  return { timeout: 120_000 + rounds(inCi) * 60_000 };
}
