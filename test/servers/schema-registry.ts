import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { freePorts } from './free-ports.js';

interface Answer {
  readonly status: number;
  readonly body: object;
}

/** A schema registry: the part of Confluent's REST interface that clients use to register and to find. */
export class SchemaRegistry {
  readonly url: string;
  /** Schemas by number, from 1. */
  readonly schemas: string[] = [];
  readonly #port: number;
  readonly #credentials: string | undefined;
  readonly #subjects = new Map<string, number[]>();
  readonly #config = new Map<string, string>();
  #server: Server | undefined;

  constructor(port: number, credentials?: string) {
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#credentials = credentials;
  }

  /** Begins to listen; what was registered before is still there. */
  async start(): Promise<this> {
    const server = createServer((request, response) => void this.#answer(request, response));
    await new Promise<void>((done, fail) => server.once('error', fail).listen(this.#port, '127.0.0.1', done));
    this.#server = server;
    return this;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise((done) => (server === undefined ? done(undefined) : server.close(done)));
  }

  /** Registers a schema under a subject; gives its number. */
  register(subject: string, schema: string): number {
    const found = this.schemas.indexOf(schema);
    const id = found < 0 ? this.schemas.push(schema) : found + 1;
    const versions = this.#subjects.get(subject) ?? [];
    if (!versions.includes(id)) this.#subjects.set(subject, [...versions, id]);
    return id;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
    const allowed = this.#credentials === undefined ? undefined : `Basic ${btoa(this.#credentials)}`;
    const isAllowed = allowed === undefined || request.headers.authorization === allowed;
    const { status, body } = isAllowed
      ? this.#handle(`${request.method ?? ''} ${request.url ?? ''}`, text === '' ? {} : (JSON.parse(text) as object))
      : { status: 401, body: { error_code: 401, message: 'Unauthorized' } };
    response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' });
    response.end(JSON.stringify(body));
  }

  #handle(what: string, sent: { readonly schema?: string; readonly compatibility?: string }): Answer {
    const [, id] = /^GET \/schemas\/ids\/(\d+)$/.exec(what) ?? [];
    const [, lookedFor] = /^POST \/subjects\/([^/]+)$/.exec(what) ?? [];
    const [, subject] = /^POST \/subjects\/([^/]+)\/versions$/.exec(what) ?? [];
    const [, method, configured] = /^(GET|PUT) \/config\/([^/]+)$/.exec(what) ?? [];
    const schema = sent.schema ?? '';
    if (id !== undefined) {
      const found = this.schemas[Number(id) - 1];
      return found === undefined ? missing(40403, `Schema ${id} not found`) : { status: 200, body: { schema: found } };
    }
    if (lookedFor !== undefined) {
      const number = this.schemas.indexOf(schema) + 1;
      if (!(this.#subjects.get(lookedFor) ?? []).includes(number)) return missing(40403, 'Schema not found');
      return { status: 200, body: { subject: lookedFor, id: number, version: 1, schema } };
    }
    if (subject !== undefined) return { status: 200, body: { id: this.register(subject, schema) } };
    if (method === 'PUT') this.#config.set(configured ?? '', sent.compatibility ?? '');
    if (method === undefined) return missing(404, 'HTTP 404 Not Found');
    const compatibility = this.#config.get(configured ?? '');
    if (compatibility === undefined) return missing(40408, 'Subject does not have a configuration of its own');
    return { status: 200, body: method === 'PUT' ? { compatibility } : { compatibilityLevel: compatibility } };
  }
}

function missing(code: number, message: string): Answer {
  return { status: 404, body: { error_code: code, message } };
}

/** A registry on a port of its own; `credentials`: user:password that it asks for. */
export async function startSchemaRegistry(credentials?: string): Promise<SchemaRegistry> {
  const [port = 0] = await freePorts(1);
  return new SchemaRegistry(port, credentials).start();
}
