import { Client, ClusterConnectionPool, errors } from '@elastic/elasticsearch';
import { Observable } from 'rxjs';
import type { Json } from '../../model/json.js';
import { MillraceError, messageOf } from '../../model/errors.js';
import { isBusy, isDenied } from './answers.js';
import type { BulkItem } from './answers.js';
import type { BulkPort } from './bulk-port.js';
import type { ElasticsearchSinkOptions } from './options.js';

/** Only what is looked at: a quarter of the whole answer. */
const FILTER = ['items.*.status', 'items.*.error.type', 'items.*.error.reason', 'items.*.error.caused_by.reason'];
const TOO_LARGE = 413;

type Connection = Omit<
  ElasticsearchSinkOptions,
  'index' | 'template' | 'maxBulkBytes' | 'maxBulkItems' | 'maxInFlight'
>;

/**
 * Requests to a cluster, by its official client. Here a request is tried again only on another node, when one is away or
 * answers 502 to 504; a node that was away is left out until it answers. Who sends decides the rest.
 */
export function elasticsearchClient(options: Connection): BulkPort {
  const { nodes, apiKey, username, password = '', tls, requestTimeoutMs, compression } = options;
  const auth = apiKey !== undefined ? { apiKey } : username !== undefined ? { username, password } : undefined;
  const client = new Client({
    nodes: [...nodes],
    maxRetries: nodes.length - 1,
    ConnectionPool: ClusterConnectionPool,
    requestTimeout: requestTimeoutMs,
    compression,
    ...(auth === undefined ? {} : { auth }),
    ...(tls === undefined
      ? {}
      : { tls: { rejectUnauthorized: tls.verify, ...(tls.ca === undefined ? {} : { ca: tls.ca }) } }),
  });
  return {
    bulk: (body) =>
      answered(async (signal) => {
        // It goes out as it is: what is a list here would be serialised once more.
        const operations = body as unknown as object[];
        const { items } = await client.bulk({ operations }, { signal, querystring: { filter_path: FILTER } });
        return items.map((item): BulkItem => Object.values(item)[0] as BulkItem);
      }),
    putTemplate: (name, body) =>
      answered(async (signal) => {
        const { statusCode, body: answer } = await client.transport.request(
          {
            method: 'PUT',
            path: `/_index_template/${encodeURIComponent(name)}`,
            querystring: { create: true },
            body: body as Record<string, Json>,
          },
          { signal, meta: true, ignore: [400] },
        );
        if (statusCode !== 400) return 'installed';
        const text = JSON.stringify(answer);
        if (text.includes('already exists')) return 'there';
        throw new MillraceError('MILLRACE_E_ELASTICSEARCH_REFUSED', text);
      }),
    close: () => void client.close(),
  };
}

/** Unsubscribing aborts the request. */
function answered<T>(request: (signal: AbortSignal) => Promise<T>): Observable<T> {
  return new Observable((subscriber) => {
    const abort = new AbortController();
    request(abort.signal).then(
      (value) => {
        subscriber.next(value);
        subscriber.complete();
      },
      (error: unknown) => subscriber.error(faultOf(error)),
    );
    return () => abort.abort();
  });
}

function faultOf(error: unknown): Error {
  const fault = (what: 'UNREACHABLE' | 'BUSY' | 'DENIED' | 'TOO_LARGE' | 'REFUSED', detail = messageOf(error)): Error =>
    new MillraceError(`MILLRACE_E_ELASTICSEARCH_${what}`, detail, { cause: error });
  if (!(error instanceof errors.ElasticsearchClientError))
    return error instanceof Error ? error : new Error(String(error));
  if (!(error instanceof errors.ResponseError)) return fault('UNREACHABLE', `${error.name}: ${error.message}`);
  const status = error.statusCode ?? 0;
  if (status === TOO_LARGE) return fault('TOO_LARGE');
  if (isDenied(status)) return fault('DENIED');
  if (isBusy(status)) return fault('BUSY');
  return status === 400 ? fault('REFUSED') : fault('UNREACHABLE', `answered ${status}: ${error.message}`);
}
