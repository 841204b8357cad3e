import { defer, map } from 'rxjs';
import type { Observable } from 'rxjs';
import type { DeadLetter } from '../../model/dead-letter.js';
import type { SinkResource } from '../../model/sink.js';
import type { BulkPort } from '../../sinks/elasticsearch/bulk-port.js';
import { elasticsearchSink } from '../../sinks/elasticsearch/elasticsearch-sink.js';
import type { ElasticsearchSinkOptions } from '../../sinks/elasticsearch/options.js';
import { deadLetterDocuments, eventDocuments } from '../line-codecs.js';

/** Makes the connection of a sink. */
export type ConnectElasticsearch = (options: ElasticsearchSinkOptions) => Observable<BulkPort>;

/** The client is loaded when the first one is needed: it takes longer than everything else. */
export const connectElasticsearch: ConnectElasticsearch = (options) =>
  defer(() => import('../../sinks/elasticsearch/elasticsearch-client.js')).pipe(
    map(({ elasticsearchClient }) => elasticsearchClient(options)),
  );

export function elasticsearchSinkOf(options: ElasticsearchSinkOptions, connect: ConnectElasticsearch): SinkResource {
  return elasticsearchSink(options, eventDocuments(options.index), connect(options));
}

export function elasticsearchDeadLettersOf(
  options: ElasticsearchSinkOptions,
  connect: ConnectElasticsearch,
): SinkResource<DeadLetter> {
  return elasticsearchSink(options, deadLetterDocuments(options.index), connect(options));
}
