import { MillraceError } from '../model/errors.js';

/** Refuses a number that would make an operator hang or grow: an error of whoever wrote it, not of the first value. */
export function atLeast(least: number, options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (!(value >= least)) throw new MillraceError('MILLRACE_E_OPERATOR_OPTION', `${name} is ${value}`);
  }
}
