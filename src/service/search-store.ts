import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { MillraceError, messageOf } from '../model/errors.js';
import type { ErrorCode } from '../model/errors.js';
import type { Json } from '../model/json.js';
import type { Answer, AnswerColumn } from '../sinks/duckdb/database.js';
import { openForReading } from '../sinks/duckdb/duckdb-database.js';
import type { ReadDatabase } from '../sinks/duckdb/duckdb-database.js';
import { interruptOnAbort, readOnlyAnswer } from './read-only-answer.js';
import type { Query } from './read-only-answer.js';
import { line, linesOf, searchSocketPath } from './search-protocol.js';
import type { Reply } from './search-protocol.js';

/** A store that can be asked, be it through the service that has it open or by reading the file. */
export interface Store {
  readonly path: string;
  /** Answers one read-only statement. Errors are MILLRACE_E_SEARCH_…; aborting the signal ends the query with one. */
  answer(query: Query, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

/** A service that starts or ends has the file open, and no socket, for a moment. */
const PATIENCE_MS = 2000;
const LOOK_AGAIN_MS = 100;

/**
 * Opens the store at an absolute path. Throws MILLRACE_E_SEARCH_NO_STORE, what opening the file throws, and
 * MILLRACE_E_STORE_LOCKED with the pid of a process that has it open for more than two seconds without answering questions.
 */
export async function openStore(path: string): Promise<Store> {
  const socketPath = searchSocketPath(path);
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    if (await answers(socketPath)) return throughSocket(path, socketPath);
    if (!existsSync(path)) throw new MillraceError('MILLRACE_E_SEARCH_NO_STORE', `${path} does not exist`);
    try {
      return throughFile(path, await openForReading(path));
    } catch (error) {
      if (!isLocked(error) || performance.now() > deadline) throw error;
    }
    await wait(LOOK_AGAIN_MS);
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof MillraceError && error.code === 'MILLRACE_E_STORE_LOCKED';
}

function throughFile(path: string, database: ReadDatabase): Store {
  return {
    path,
    answer: async (query, signal) => {
      const connection = await database.connect();
      const calm = interruptOnAbort(connection, signal);
      const done = (): void => {
        calm();
        connection.close();
      };
      try {
        signal.throwIfAborted();
        const { columns, rows } = await readOnlyAnswer(connection, query);
        return { columns, rows: finishing(rows, done) };
      } catch (error) {
        done();
        throw error;
      }
    },
    close: () => database.close(),
  };
}

async function* finishing<T>(rows: AsyncIterable<T>, done: () => void): AsyncGenerator<T> {
  try {
    yield* rows;
  } finally {
    done();
  }
}

/** True if somebody listens: the socket of a killed process is still there. */
function answers(socketPath: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection(socketPath)
      .once('connect', () => {
        socket.destroy();
        done(true);
      })
      .once('error', () => done(false));
  });
}

function throughSocket(path: string, socketPath: string): Store {
  return {
    path,
    answer: async (query, signal) => {
      const socket = createConnection({ path: socketPath, signal });
      socket.setEncoding('utf8').write(line(query));
      const replies = repliesOf(socket);
      const first = await replies.next();
      if (first.done !== true && 'columns' in first.value) {
        return { columns: first.value.columns, rows: rowsOf(replies) };
      }
      throw new MillraceError('MILLRACE_E_SEARCH_SERVICE', 'it ended in the middle of the answer');
    },
    close: () => undefined,
  };
}

type Wanted = { readonly columns: readonly AnswerColumn[] } | { readonly rows: readonly (readonly Json[])[] };

/** Everything up to the end of the answer. Throws its fault, and MILLRACE_E_SEARCH_SERVICE when it breaks off. */
async function* repliesOf(socket: Socket): AsyncGenerator<Wanted> {
  try {
    for await (const text of linesOf(socket as AsyncIterable<string>)) {
      const reply = JSON.parse(text) as Reply;
      if ('end' in reply) return;
      if ('fault' in reply) throw new ServiceFault(reply.fault.code as ErrorCode, reply.fault.message);
      yield reply;
    }
  } catch (error) {
    if (error instanceof ServiceFault) throw error;
    throw new MillraceError('MILLRACE_E_SEARCH_SERVICE', messageOf(error), { cause: error });
  } finally {
    socket.destroy();
  }
  throw new MillraceError('MILLRACE_E_SEARCH_SERVICE', 'it ended in the middle of the answer');
}

async function* rowsOf(replies: AsyncIterable<Wanted>): AsyncGenerator<readonly (readonly Json[])[]> {
  for await (const reply of replies) if ('rows' in reply) yield reply.rows;
}

/** What a service has said, word for word. */
class ServiceFault extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
