import { Admin, ConfigResourceTypes } from '@platformatic/kafka';
import { MillraceError } from '../../../model/errors.js';
import type { KafkaConnection, TopicDescription, WantedTopic } from '../../../model/kafka.js';
import { kafkaError } from '../kafka-error.js';
import { closeQuietly, connecting } from './connecting.js';

const RETRIES = 2;
const ALREADY_EXISTS = 'TOPIC_ALREADY_EXISTS';

/** What a topic is like; makes it when it is missing and may be made. */
export async function describeTopic(connection: KafkaConnection, wanted: WantedTopic): Promise<TopicDescription> {
  const admin = new Admin(connecting(connection, RETRIES));
  try {
    await madeIfMissing(admin, wanted);
    const { topic } = wanted;
    const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true });
    const partitions = topics.get(topic)?.partitionsCount ?? 0;
    return { partitions, maxMessageBytes: await maxMessageBytesOf(admin, topic) };
  } catch (error) {
    throw kafkaError(error, 'MILLRACE_E_KAFKA_UNREACHABLE');
  } finally {
    closeQuietly(admin);
  }
}

async function madeIfMissing(admin: Admin, { topic, createTopic }: WantedTopic): Promise<void> {
  if ((await admin.listTopics({})).includes(topic)) return;
  if (createTopic === undefined)
    throw new MillraceError('MILLRACE_E_KAFKA_TOPIC', `${topic} (createTopic would make it)`);
  const { partitions, replicas = -1, settings = {} } = createTopic;
  const configs = Object.entries(settings).map(([name, value]) => ({ name, value }));
  try {
    await admin.createTopics({ topics: [topic], partitions, replicas, configs });
  } catch (error) {
    // Another one was quicker.
    if (!isOf(error, ALREADY_EXISTS)) throw error;
  }
}

/** Whether an error, or one that it was made of, has this name of the protocol. */
function isOf(error: unknown, apiId: string): boolean {
  const { apiId: its, errors = [] } = error as { readonly apiId?: string; readonly errors?: readonly unknown[] };
  return its === apiId || errors.some((each) => isOf(each, apiId));
}

/** To ask for it takes a right of its own, which may not have been given. */
async function maxMessageBytesOf(admin: Admin, topic: string): Promise<number | undefined> {
  const resources = [
    { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configurationKeys: ['max.message.bytes'] },
  ];
  try {
    const [found] = await admin.describeConfigs({ resources });
    const bytes = Number(found?.configs[0]?.value);
    return bytes > 0 ? bytes : undefined;
  } catch {
    return undefined;
  }
}
