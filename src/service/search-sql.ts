import type { Parameter } from '../sinks/duckdb/database.js';

/** A name as SQL writes it: nothing in it can end it. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Where a value is in a JSON object: RFC 6901, in which a key may hold anything. */
export function jsonPointer(keys: readonly string[]): string {
  return keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The values of a query. They never become part of its text. */
export class Parameters {
  readonly values: Parameter[] = [];

  /** Takes a value; returns what stands for it in the text. */
  text(value: string): string {
    return `CAST(${this.#add(value)} AS VARCHAR)`;
  }

  /** The same for a number as somebody has written it: whole ones stay exact. */
  number(value: string): string {
    return `CAST(${this.#add(value)} AS ${/^[+-]?\d{1,18}$/.test(value) ? 'BIGINT' : 'DOUBLE'})`;
  }

  /** The same for an RFC 3339 time. */
  time(value: string): string {
    return `CAST(${this.#add(value)} AS TIMESTAMP)`;
  }

  #add(value: string): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}
