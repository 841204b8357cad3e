import type { ColumnText, Rows } from './database.js';
import type { ColumnType } from './columns.js';

/** Control characters that hardly any log contains. */
const SEPARATOR = '\u001e';
const ABSENT = '\u001f';

/** One column of the rows that are being put together. */
export class Column {
  readonly name: string;
  readonly type: ColumnType;
  /** Values so far; rows after the last one do not have it. */
  count = 0;
  text = '';
  /** All values so far are `text`. */
  isConstant = true;

  constructor(name: string, type: ColumnType) {
    this.name = name;
    this.type = type;
  }

  clear(): void {
    this.count = 0;
    this.text = '';
    this.isConstant = true;
  }

  add(value: string, separator: string): void {
    if (this.isConstant) {
      if (this.count === 0) this.text = value;
      else if (value !== this.text) {
        this.spread(separator);
        this.text += separator + value;
      }
    } else this.text += separator + value;
    this.count++;
  }

  /** Writes a constant out, once for each row. */
  spread(separator: string): void {
    if (!this.isConstant || this.count === 0) return;
    this.isConstant = false;
    this.text = (this.text + separator).repeat(this.count - 1) + this.text;
  }
}

/**
 * Puts rows together as one text a column: two native calls a column instead of one a value, and the database takes the
 * texts apart on its own threads. What separates two values is chosen so that no value contains it.
 */
export class RowTexts {
  readonly #columns: Column[] = [];
  #separator = SEPARATOR;
  #absent = ABSENT;
  #choice = 0;
  count = 0;
  /** UTF-16 units in the values so far. */
  chars = 0;

  /** A column to add values to; kept when the rows are cleared. */
  column(name: string, type: ColumnType): Column {
    const found = this.#columns.find((each) => each.name === name);
    if (found !== undefined) return found;
    const column = new Column(name, type);
    this.#columns.push(column);
    return column;
  }

  /** Sets a value of the row that is being put together. */
  set(column: Column, value: string): void {
    if (value.includes(this.#separator) || value === this.#absent) this.#separateFrom(value);
    while (column.count < this.count) column.add(this.#absent, this.#separator);
    column.add(value, this.#separator);
    this.chars += value.length;
  }

  endRow(): void {
    this.count++;
  }

  /** Everything since the last call. */
  take(): Rows {
    const columns: ColumnText[] = [];
    for (const column of this.#columns) {
      if (column.count === 0) continue;
      while (column.count < this.count) column.add(this.#absent, this.#separator);
      const { name, type, isConstant, text } = column;
      columns.push({ name, type, isConstant, text });
    }
    const rows: Rows = { count: this.count, separator: this.#separator, absent: this.#absent, columns };
    for (const column of this.#columns) column.clear();
    this.count = 0;
    this.chars = 0;
    this.#separator = SEPARATOR;
    this.#absent = ABSENT;
    this.#choice = 0;
    return rows;
  }

  /** Somebody logs our separator: takes another one that neither this value nor any other so far contains. */
  #separateFrom(value: string): void {
    const [before, absentBefore] = [this.#separator, this.#absent];
    const texts = [value, ...this.#columns.map(({ text }) => text)];
    do {
      this.#choice++;
      // Begins and ends differently: none can begin in a value and end in what follows it.
      this.#separator = `\u001e${this.#choice}\u001d`;
      this.#absent = `\u001f${this.#choice}\u001d`;
    } while (texts.some((text) => text.includes(this.#separator) || text.includes(this.#absent)));
    for (const column of this.#columns) {
      if (column.count === 0) continue;
      const values = column.isConstant ? [column.text] : column.text.split(before);
      const renamed = values.map((each) => (each === absentBefore ? this.#absent : each));
      column.text = renamed.join(this.#separator);
    }
  }
}
