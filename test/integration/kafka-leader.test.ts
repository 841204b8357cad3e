import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeOnKafka, kafkaForThisBlock } from '../servers/on-servers.js';
import { announcedSeed, placeForEachTest, randomOf } from './harness.js';
import { Chain } from './kafka-chain.js';
import { Topics, USUAL_CLIENTS } from './kafka-topics.js';
import { patience, rounds } from './rounds.js';

const place = placeForEachTest();

describeOnKafka().each(USUAL_CLIENTS)('a cluster of three, by %s', (client) => {
  const kafka = kafkaForThisBlock({ nodes: 3 });

  it('loses the leader of a partition, under load: the others go on, and every line arrives', patience(1), async () => {
    const random = randomOf(announcedSeed('kafka-leader.test.ts'));
    const topics = new Topics(kafka().brokers);
    const leaderOf = (topic: string): Promise<number> =>
      topics.admin(async (admin) => {
        const { topics: found } = await admin.fetchTopicMetadata({ topics: [topic] });
        return found[0]?.partitions[0]?.leader ?? -1;
      });
    const chain = await Chain.start({ place: place(), topics, brokers: kafka().brokers, client });
    const turns = rounds(1);
    const waits: number[] = [];
    for (let turn = 0; turn < turns; turn++) {
      const leader = await leaderOf(turn % 2 === 0 ? chain.from : chain.to);
      const node = kafka().nodes[leader];
      expect(node, `leader ${leader}`).toBeDefined();
      await node?.kill();
      const killedAt = performance.now();
      // Two of three are enough for acks=all, so it goes on while the third is away.
      await chain.progress();
      waits.push(performance.now() - killedAt);
      await wait(random() * 1000);
      await node?.start();
      await chain.progress();
    }
    const longest = Math.round(Math.max(...waits));
    await chain.end(`the leader killed ${turns} times, went on within ${longest} ms`);
  });
});
