import { MillraceError } from '../../model/errors.js';
import type { TopicDescription, WantedTopic } from '../../model/kafka.js';
import { kafkaError } from './kafka-error.js';
import { CONFIG_OF_TOPIC, leaveQuietly } from './kafkajs.js';
import type { Admin, Client } from './kafkajs.js';

/** What a topic is like; makes it when it is missing and may be made. */
export async function describeTopic(client: Client, wanted: WantedTopic): Promise<TopicDescription> {
  const admin = client.admin();
  try {
    await admin.connect();
    const partitions = await partitionsOf(admin, wanted);
    return { partitions, maxMessageBytes: await maxMessageBytesOf(admin, wanted.topic) };
  } catch (error) {
    throw kafkaError(error, 'MILLRACE_E_KAFKA_UNREACHABLE');
  } finally {
    leaveQuietly(Promise.resolve(admin));
  }
}

async function partitionsOf(admin: Admin, { topic, createTopic }: WantedTopic): Promise<number> {
  if (!(await admin.listTopics()).includes(topic)) {
    if (createTopic === undefined)
      throw new MillraceError('MILLRACE_E_KAFKA_TOPIC', `${topic} (createTopic would make it)`);
    const { partitions, replicas = -1, settings = {} } = createTopic;
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    // False: another one was quicker.
    await admin.createTopics({
      topics: [{ topic, numPartitions: partitions, replicationFactor: replicas, configEntries }],
    });
  }
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return topics[0]?.partitions.length ?? 0;
}

/** To ask for it takes a right of its own, which may not have been given. */
async function maxMessageBytesOf(admin: Admin, name: string): Promise<number | undefined> {
  const resources = [{ type: CONFIG_OF_TOPIC, name, configNames: ['max.message.bytes'] }];
  try {
    const { resources: found } = await admin.describeConfigs({ resources, includeSynonyms: false });
    const bytes = Number(found[0]?.configEntries[0]?.configValue);
    return bytes > 0 ? bytes : undefined;
  } catch {
    return undefined;
  }
}
