import type { Observable } from 'rxjs';
import type { Given } from './model/given.js';
import type { EventSink } from './model/sink.js';
import {
  connectElasticsearch,
  elasticsearchDeadLettersOf,
  elasticsearchSinkOf,
} from './service/resources/elasticsearch.js';
import { validated } from './service/resources/validated.js';
import type { BulkPort } from './sinks/elasticsearch/bulk-port.js';
import { elasticsearchSinkOptions } from './sinks/elasticsearch/options.js';
import type { ElasticsearchSinkOptions } from './sinks/elasticsearch/options.js';

export type { BulkItem } from './sinks/elasticsearch/answers.js';
export type { BulkPort } from './sinks/elasticsearch/bulk-port.js';

/** Where and how events are indexed: the keys of `elasticsearch` under `to` in a configuration. */
export interface ElasticsearchSinkConfig extends Given<Omit<ElasticsearchSinkOptions, 'tls'>, 'nodes'> {
  readonly tls?: Given<Exclude<ElasticsearchSinkOptions['tls'], undefined>>;
}

/** The client: @elastic/elasticsearch, loaded when it is first used, unless another is given. */
export interface ElasticsearchPorts {
  /** Makes the connection, each time the sink is opened. */
  readonly connect?: (options: ElasticsearchSinkOptions) => Observable<BulkPort>;
}

/**
 * Indexes events by bulk requests, each event once, by its id.
 *
 * - throws MILLRACE_E_CONFIG_INVALID at once, with everything that is wrong with the options.
 * - errors are MILLRACE_E_ELASTICSEARCH_…; what the cluster will never take (400) is refused, everything else is tried
 *   again.
 * - memory: the texts of the deliveries that are under way.
 */
export function elasticsearchSink(
  config: ElasticsearchSinkConfig,
  { connect = connectElasticsearch }: ElasticsearchPorts = {},
): EventSink {
  const options = validated(elasticsearchSinkOptions, config, 'elasticsearchSink');
  return {
    ...elasticsearchSinkOf(options, connect),
    deadLetters: elasticsearchDeadLettersOf(options, connect),
  };
}
