import type { Observable } from 'rxjs';
import type { Json } from '../../model/json.js';
import type { Notice } from '../../model/notice.js';
import type { ColumnType } from './columns.js';

/** A column that rows may have. */
export interface RowColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** Rows as JSON, in groups that have some values in common. */
export interface Rows {
  readonly count: number;
  /** The place of a column here is its key in the JSON. */
  readonly columns: readonly RowColumn[];
  /**
   * Each is UTF-8 of `[{"key":value, …, "rows":[{"key":value, …}, …]}, …]`: a value beside `rows` is that of all rows in it.
   * Values are texts; those of the type JSON are objects. They hold until the next rows are put together.
   */
  readonly pieces: readonly Uint8Array[];
}

/** A lane of a leg. */
export interface LegLane {
  readonly pipeline: string;
  readonly leg: string;
  readonly lane: string;
}

/** How far a lane has come in the store. */
export interface LanePosition extends LegLane {
  readonly position: number;
}

/** What is written together or not at all. */
export interface Transaction {
  readonly rows: Rows;
  readonly positions: readonly LanePosition[];
  /** Lanes that nothing will be read of any more. */
  readonly forgotten: readonly LegLane[];
}

/** What is to be exported and removed. Times are RFC 3339 in UTC, with milliseconds, of when rows were stored. */
export interface Upkeep {
  readonly exportFolder: string | undefined;
  readonly exportUntil: string | undefined;
  readonly removeBefore: string | undefined;
}

/** A column of an answer: its name and DuckDB's name of its type. */
export interface AnswerColumn {
  readonly name: string;
  readonly type: string;
}

/**
 * What a query answers: rows in runs of at most 2048, made when they are asked for. Times are RFC 3339 in UTC; whole
 * numbers that JSON cannot hold exactly are texts.
 */
export interface Answer {
  readonly columns: readonly AnswerColumn[];
  readonly rows: AsyncIterable<readonly (readonly Json[])[]>;
}

/** What a query may be given for `$1`, `$2` … */
export type Parameter = string | number | boolean | null;

/** A connection of its own for somebody who reads: one query at a time. */
export interface DatabaseConnection {
  /** Runs one statement. Throws what DuckDB says; so does reading the rows. */
  answer(sql: string, parameters?: readonly Parameter[]): Promise<Answer>;
  /** The kinds of the statements in the text, as DuckDB names them: SELECT, EXPLAIN, INSERT … Binds each, runs none. */
  statementKinds(sql: string): Promise<readonly string[]>;
  /** Stops the query that runs: it throws. */
  interrupt(): void;
  close(): void;
}

/** Makes a connection. */
export type Connect = () => Promise<DatabaseConnection>;

/** An open database. Every method that writes is a cold Observable: the call happens at subscription. */
export interface Database {
  positions(): Observable<readonly LanePosition[]>;
  /** Completes when everything is durable. After an error it is open whether it was written: ask for the positions. */
  write(transaction: Transaction): Observable<unknown>;
  /** When the last row was stored, in ms since 1970; 0 if there is none. */
  lastIngestedMs(): Observable<number>;
  keepUp(upkeep: Upkeep): Observable<unknown>;
  /** Whoever reads must close the connection: the database is open that long. */
  readonly connect: Connect;
  /** Later calls to open it wait until it is closed. */
  close(): void;
}

export interface OpenOptions {
  readonly path: string;
  readonly memoryBytes: number;
  readonly threads: number;
  readonly report: (notice: Notice) => void;
}

/** Emits the open database once. */
export type OpenDatabase = (options: OpenOptions) => Observable<Database>;
