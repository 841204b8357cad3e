/** Of the environment: what people ask of every program that colours. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether an output is coloured. FORCE_COLOR decides when it is set: 0 and false are no, anything else is yes. Then
 * NO_COLOR with anything in it is no, and so is a terminal of type `dumb`; else terminals are coloured, files and pipes
 * are not.
 */
export function wantsColours({ FORCE_COLOR, NO_COLOR, TERM }: Environment, isTerminal: boolean): boolean {
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR.toLowerCase() !== 'false';
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  return isTerminal && TERM !== 'dumb';
}
