import { randomBytes } from 'node:crypto';
import { chmodSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { Observable } from 'rxjs';
import { MillraceError, messageOf } from '../model/errors.js';
import type { Connect } from '../sinks/duckdb/database.js';
import { fileError } from './node-files.js';
import { interruptOnAbort, readOnlyAnswer } from './read-only-answer.js';
import type { Query } from './read-only-answer.js';
import { line, MAX_QUERY_BYTES } from './search-protocol.js';

/** What a service does for those who ask at most: its first work is to store. */
export interface SearchLimits {
  readonly maxQueries: number;
  readonly maxRows: number;
  readonly maxBytes: number;
  /** For a whole query, the time in which the client takes the answer included. */
  readonly maxMs: number;
}

const LIMITS: SearchLimits = { maxQueries: 8, maxRows: 1_000_000, maxBytes: 268_435_456, maxMs: 60_000 };

/** Those that ask nothing, too. */
const MAX_CONNECTIONS = 100;

/**
 * Answers questions about a store on a Unix socket, for as long as it is subscribed; see search-protocol.ts. Only the
 * user that runs the service may connect (mode 0600). A socket that a killed process left is replaced: whoever has the
 * database open is the only one who may answer for it.
 *
 * - on error: MILLRACE_E_FILE_… when the socket cannot be made. Never completes, never emits.
 * - on unsubscribe: the socket is removed, queries that run are interrupted.
 * - memory: what a client has not taken yet is not read from the database.
 */
export function searchSocket(path: string, connect: Connect, limits: Partial<SearchLimits> = {}): Observable<never> {
  return new Observable<never>((subscriber) => {
    const bounds = { ...LIMITS, ...limits };
    const clients = new Set<Socket>();
    const connected = atMost(bounds.maxQueries, connect);
    const server = createServer((socket) => {
      clients.add(socket);
      // A client that goes away in the middle is no fault; `close` tells it.
      socket.on('error', () => undefined).once('close', () => clients.delete(socket));
      void serve(socket, connected, bounds);
    });
    server.maxConnections = MAX_CONNECTIONS;
    const fail = (error: unknown): void => subscriber.error(fileError(error as NodeJS.ErrnoException, path));
    let remove = (): void => undefined;
    server.on('error', fail);
    // Made under another name: nobody finds it before it is closed to others, and the old one is replaced at once.
    const made = `${path}.${randomBytes(3).toString('hex')}`;
    server.listen(made, () => {
      try {
        remove = placed(made, path);
      } catch (error) {
        fail(error);
      }
    });
    return () => {
      close(server, clients);
      remove();
    };
  });
}

/** Gives the socket its name; returns what removes it, unless another process has taken the name meanwhile. */
function placed(made: string, path: string): () => void {
  chmodSync(made, 0o600);
  renameSync(made, path);
  const { ino } = statSync(path);
  return () => {
    if (statSync(path, { throwIfNoEntry: false })?.ino === ino) rmSync(path, { force: true });
  };
}

function close(server: Server, clients: ReadonlySet<Socket>): void {
  server.close();
  for (const client of clients) client.destroy();
}

/** No more than so many connections at a time. */
function atMost(maxQueries: number, connect: Connect): Connect {
  let running = 0;
  return async () => {
    if (running >= maxQueries) {
      throw new MillraceError('MILLRACE_E_SEARCH_SERVICE', `${maxQueries} queries run at this moment`);
    }
    running++;
    try {
      const connection = await connect();
      return {
        ...connection,
        close: () => {
          running--;
          connection.close();
        },
      };
    } catch (error) {
      running--;
      throw error;
    }
  };
}

async function serve(socket: Socket, connect: Connect, limits: SearchLimits): Promise<void> {
  const late = setTimeout(() => {
    // Who has not even taken what is there does not hear more.
    if (socket.writableNeedDrain) socket.destroy();
    const message = `${limits.maxMs / 1000} s are over`;
    socket.end(line({ fault: { code: 'MILLRACE_E_SEARCH_SERVICE', message } }));
    socket.destroySoon();
  }, limits.maxMs);
  try {
    await answer(socket, queryOf(await firstLine(socket)), connect, limits);
    socket.end();
  } catch (error) {
    if (!socket.writable) return;
    const code = error instanceof MillraceError ? error.code : 'MILLRACE_E_SEARCH_SERVICE';
    socket.end(line({ fault: { code, message: messageOf(error) } }));
  } finally {
    clearTimeout(late);
  }
}

/** What follows it is taken and forgotten: a socket that is not read does not tell that its other end has gone. */
function firstLine(socket: Socket): Promise<string> {
  return new Promise((done, fail) => {
    let text = '';
    let isDone = false;
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      if (isDone) return;
      text += chunk;
      const end = text.indexOf('\n');
      isDone = end >= 0 || text.length > MAX_QUERY_BYTES;
      if (end >= 0) done(text.slice(0, end));
      else if (isDone) fail(new MillraceError('MILLRACE_E_SEARCH_QUERY', `it is longer than ${MAX_QUERY_BYTES} bytes`));
    });
    socket.once('close', () => fail(gone()));
  });
}

function queryOf(text: string): Query {
  try {
    const query: unknown = JSON.parse(text);
    if (isQuery(query)) return query;
  } catch {
    // Said below.
  }
  throw new MillraceError('MILLRACE_E_SEARCH_QUERY', 'expected one line of JSON with "sql" and "parameters"');
}

function isQuery(query: unknown): query is Query {
  const { sql, parameters = [] } = (query ?? {}) as { readonly sql?: unknown; readonly parameters?: unknown };
  const isScalar = (value: unknown): boolean => value === null || typeof value !== 'object';
  return typeof sql === 'string' && Array.isArray(parameters) && parameters.every(isScalar);
}

async function answer(
  socket: Socket,
  query: Query,
  connect: Connect,
  { maxRows, maxBytes }: SearchLimits,
): Promise<void> {
  const connection = await connect();
  const aborter = new AbortController();
  const abort = (): void => aborter.abort();
  const calm = interruptOnAbort(connection, aborter.signal);
  socket.once('close', abort);
  try {
    if (socket.destroyed) throw gone();
    const { columns, rows } = await readOnlyAnswer(connection, query);
    await send(socket, line({ columns }));
    let rowCount = 0;
    let bytes = 0;
    for await (const run of rows) {
      const text = line({ rows: run });
      rowCount += run.length;
      bytes += text.length;
      if (rowCount > maxRows) throw new MillraceError('MILLRACE_E_SEARCH_LIMIT', `${maxRows} rows`);
      if (bytes > maxBytes) throw new MillraceError('MILLRACE_E_SEARCH_LIMIT', `${maxBytes} bytes`);
      await send(socket, text);
    }
    await send(socket, line({ end: true }));
  } finally {
    socket.off('close', abort);
    calm();
    connection.close();
  }
}

/** Waits until the client has room for more. */
async function send(socket: Socket, text: string): Promise<void> {
  if (!socket.writable) throw gone();
  if (socket.write(text)) return;
  await new Promise<void>((done) => {
    const settled = (): void => {
      socket.off('drain', settled).off('close', settled);
      done();
    };
    socket.on('drain', settled).on('close', settled);
  });
}

function gone(): MillraceError {
  return new MillraceError('MILLRACE_E_SEARCH_SERVICE', 'the client has gone');
}
