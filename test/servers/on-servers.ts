import { afterAll, beforeAll, describe } from 'vitest';
import { startElasticsearch } from './elasticsearch.js';
import type { Elasticsearch } from './elasticsearch.js';
import { hasJavaAndMaven } from './jars.js';
import { startKafka } from './kafka.js';
import type { Kafka, KafkaOptions } from './kafka.js';

const ADVICE = 'install JDK 17 or newer and Maven';

/** `describe` where the servers can run. Else it skips and says so in one line; with CI=true it fails. */
function describeIf(isGiven: boolean, what: string): typeof describe | typeof describe.skip {
  if (isGiven || hasJavaAndMaven()) return describe;
  const advice = `no ${what} for the tests: ${ADVICE}`;
  if (process.env['CI'] === 'true') throw new Error(advice);
  console.log(`skipped, ${advice}`);
  return describe.skip;
}

/** `describe` for tests on Kafka. */
export function describeOnKafka(): typeof describe | typeof describe.skip {
  return describeIf(process.env['KAFKA_BROKERS'] !== undefined, 'Kafka (or set KAFKA_BROKERS)');
}

/** `describe` for tests on Elasticsearch. */
export function describeOnElasticsearch(): typeof describe | typeof describe.skip {
  return describeIf(process.env['ELASTICSEARCH_URL'] !== undefined, 'Elasticsearch (or set ELASTICSEARCH_URL)');
}

interface Stoppable {
  stop(): Promise<void>;
}

function forThisBlock<T extends Stoppable>(start: () => Promise<T>): () => T {
  let server: T | undefined;
  beforeAll(async () => {
    server = await start();
  }, 300_000);
  afterAll(() => server?.stop());
  return () => {
    if (server === undefined) throw new Error('only inside a test');
    return server;
  };
}

/** A Kafka cluster for the tests of a `describe` block. */
export function kafkaForThisBlock(options?: KafkaOptions): () => Kafka {
  return forThisBlock(() => startKafka(options));
}

/** An Elasticsearch node for the tests of a `describe` block. */
export function elasticsearchForThisBlock(settings?: Readonly<Record<string, string>>): () => Elasticsearch {
  return forThisBlock(() => startElasticsearch(settings));
}
