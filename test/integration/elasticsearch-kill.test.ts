import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import {
  describeOnElasticsearch,
  describeOnKafka,
  elasticsearchForThisBlock,
  kafkaForThisBlock,
} from '../servers/on-servers.js';
import { announcedSeed, placeForEachTest, randomOf, until } from './harness.js';
import type { Running } from './harness.js';
import { expectEachOnce, Indices } from './indices.js';
import { Topics } from './kafka-topics.js';
import { LogWriter } from './log-writer.js';
import { patience, rounds } from './rounds.js';

const place = placeForEachTest();
const PARTITIONS = 4;
/** Of the collector, and of each of the two processors. */
const KILLS = rounds(4);

// Both servers are needed.
describeOnKafka();
describeOnElasticsearch()('kill', patience(4), () => {
  const kafka = kafkaForThisBlock();
  const elasticsearch = elasticsearchForThisBlock();

  it('collector and processors, killed again and again under load and rotation: Elasticsearch has each line once', async () => {
    const random = randomOf(announcedSeed('elasticsearch-kill.test.ts'));
    const broker = kafka().brokers.join();
    const topic = await new Topics(kafka().brokers).create(PARTITIONS);
    const indices = new Indices(elasticsearch().url);
    place().write(
      'collector.yaml',
      `name: collector
source: { tail: { paths: ["logs/*.log*"] } }
checkpoint: { path: data/collector.checkpoint, everyMs: 50 }
routes:
  - to: { kafka: { brokers: ["${broker}"], topic: ${topic}, format: raw } }
`,
    );
    const processor = (name: string): void => {
      place().write(
        `${name}.yaml`,
        `name: ${name}
source: { kafka: { brokers: ["${broker}"], groupId: g, topics: [${topic}], sessionTimeoutMs: 3000 } }
checkpoint: { path: data/${name}.checkpoint, everyMs: 50 }
stages:
  - parse: { format: delimited, separator: "|", fields: [time, level, message] }
  - normalize: {}
routes:
  - to: { elasticsearch: { nodes: ["${elasticsearch().url}"], index: "killed-{@timestamp:yyyy.MM.dd}" } }
`,
      );
    };
    processor('one');
    processor('two');
    place().mkdir('logs');
    const writer = new LogWriter('app', place().path('logs', 'app.log'));
    const enough = new AbortController();
    const writing = (async () => {
      while (!enough.signal.aborted) {
        writer.append(20);
        if (random() < 0.01) writer.renameAndCreate(true);
        await wait(10);
      }
    })();
    const names = ['collector', 'one', 'two'];
    const running = new Map<string, Running>(names.map((name) => [name, place().start(['run', `${name}.yaml`])]));
    const history: string[] = [];
    try {
      await until('documents arrive', () => running.get('one')!.stderr() !== '' || writer.count > 500);
      for (let kill = 0; kill < KILLS * names.length; kill++) {
        await wait(300 + random() * 1500);
        const name = names[kill % names.length]!;
        running.get(name)!.kill('SIGKILL');
        history.push((await running.get(name)!.ended).stderr);
        running.set(name, place().start(['run', `${name}.yaml`]));
      }
    } finally {
      enough.abort();
      await writing;
      writer.close();
    }
    const wanted = writer.count - writer.brokenNumbers.length;
    await indices.fill('killed-*', wanted, 90_000);
    for (const one of running.values()) one.kill('SIGTERM');
    const ends = await Promise.all([...running.values()].map(({ ended }) => ended));
    const logs = [...history, ...ends.map(({ stderr }) => stderr)].join('\n---\n');
    expect(
      ends.map(({ code }) => code),
      logs,
    ).toEqual([0, 0, 0]);
    const messages = await indices.messages('killed-*');
    console.log(`${writer.count} lines, ${KILLS * names.length} kills`);
    expect(await indices.count('killed-*'), logs).toBe(wanted);
    expectEachOnce(messages, wanted);
  });
});
