import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Certificates } from './certificates.js';

/** What stands between a client and Elasticsearch does. Each answer is what the real node would have sent. */
export type Fault =
  | { readonly kind: 'none' }
  /** Connections are cut before anything is passed on. */
  | { readonly kind: 'down' }
  /** The request arrives, its answer is lost. */
  | { readonly kind: 'answerLost' }
  | { readonly kind: 'slow'; readonly ms: number }
  /** Every n-th item is answered 429 and not passed on. */
  | { readonly kind: 'busy'; readonly everyNth: number }
  | { readonly kind: 'denied' }
  /** Index templates may not be installed. */
  | { readonly kind: 'noTemplates' }
  /** Requests of more bytes are answered 413. */
  | { readonly kind: 'narrow'; readonly maxBytes: number }
  /** Nothing is ever answered. */
  | { readonly kind: 'swallow' };

const UNKNOWN_USER = { error: { type: 'security_exception', reason: 'unable to authenticate' }, status: 401 };
const JSON_HEADERS = { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' };

/** An Elasticsearch as a bad network and a busy cluster show it. */
export class ElasticsearchProxy {
  readonly #target: string;
  readonly #server: Server;
  readonly #scheme: string;
  /** The only value of the header `authorization` that is let in; undefined: everybody is. */
  authorization: string | undefined;
  fault: Fault = { kind: 'none' };
  requests = 0;
  /** Requests that were passed on and are not answered yet. */
  underWay = 0;
  /** Requests that met a fault. */
  faults = 0;
  #item = 0;

  private constructor(target: string, tls: Certificates['server'] | undefined) {
    this.#target = target;
    this.#scheme = tls === undefined ? 'http' : 'https';
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      this.#serve(request, response).catch(() => response.destroy());
    };
    this.#server = tls === undefined ? createServer(serve) : createSecureServer(tls, serve);
  }

  /** `tls`: speaks HTTPS with this certificate. */
  static async start(target: string, tls?: Certificates['server']): Promise<ElasticsearchProxy> {
    const proxy = new ElasticsearchProxy(target, tls);
    await new Promise<void>((done) => proxy.#server.listen(0, '127.0.0.1', done));
    return proxy;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const { fault } = this;
    this.requests++;
    if (fault.kind !== 'none') this.faults++;
    if (this.authorization !== undefined && request.headers.authorization !== this.authorization) {
      this.faults++;
      reply(response, 401, UNKNOWN_USER);
      return;
    }
    switch (fault.kind) {
      case 'down':
        request.socket.destroy();
        return;
      case 'swallow':
        return;
      case 'denied':
        reply(response, 401, UNKNOWN_USER);
        return;
      case 'noTemplates':
        if (request.url?.startsWith('/_index_template') !== true) break;
        reply(response, 403, { error: { type: 'security_exception', reason: 'action is unauthorized' }, status: 403 });
        return;
      case 'narrow':
        if (body.length <= fault.maxBytes) break;
        response.writeHead(413, JSON_HEADERS).end();
        return;
      case 'busy':
        if (request.url?.startsWith('/_bulk') !== true) break;
        await this.#passPart(request, body, fault.everyNth, response);
        return;
      case 'slow':
        await wait(fault.ms);
        break;
      case 'none':
      case 'answerLost':
    }
    const answer = await this.#pass(request, body);
    if (fault.kind === 'answerLost') request.socket.destroy();
    else reply(response, answer.status, await answer.json());
  }

  async #pass(request: IncomingMessage, body: Buffer): Promise<Response> {
    const { url = '/', method = 'GET', headers } = request;
    this.underWay++;
    try {
      return await fetch(this.#target + url, {
        method,
        // Both or neither may ask for compatibility with a version.
        headers: { 'content-type': headers['content-type'] ?? 'application/json', accept: headers.accept ?? '*/*' },
        ...(body.length === 0 ? {} : { body: Uint8Array.from(body) }),
      });
    } finally {
      this.underWay--;
    }
  }

  async #passPart(request: IncomingMessage, body: Buffer, everyNth: number, response: ServerResponse): Promise<void> {
    const lines = body.toString('utf8').trimEnd().split('\n');
    const isBusy: boolean[] = [];
    let passed = '';
    for (let at = 0; at < lines.length; at += 2) {
      const busy = this.#item++ % everyNth === 0;
      isBusy.push(busy);
      if (!busy) passed += `${lines[at]!}\n${lines[at + 1]!}\n`;
    }
    const answered =
      passed === ''
        ? []
        : ((await (await this.#pass(request, Buffer.from(passed))).json()) as { items: unknown[] }).items;
    const busy = {
      create: { status: 429, error: { type: 'es_rejected_execution_exception', reason: 'queue is full' } },
    };
    let next = 0;
    reply(response, 200, { errors: true, items: isBusy.map((isOne) => (isOne ? busy : answered[next++])) });
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, JSON_HEADERS).end(JSON.stringify(body));
}
