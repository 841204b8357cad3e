import { setTimeout as sleep } from 'node:timers/promises';

const TRIES = 100;
const WAIT_MS = 100;

/** Makes a topic by an admin of kafkajs, and waits until it has its leaders: a broker that is busy knows them a little later. */
export async function makeTopic(admin, topic, partitions) {
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: false });
  for (let tries = 0; tries < TRIES; tries++) {
    const ends = await admin.fetchTopicOffsets(topic).catch(() => []);
    if (ends.length === partitions) return topic;
    await sleep(WAIT_MS);
  }
  throw new Error(`${topic} has no leaders`);
}
