import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { certificatesIn } from '../servers/certificates.js';
import { ElasticsearchProxy } from '../servers/elasticsearch-proxy.js';
/** `2026.11.23`, in UTC. */
const dayOf = (time: Date): string => time.toISOString().slice(0, 10).replaceAll('-', '.');

import { describeOnElasticsearch, elasticsearchForThisBlock } from '../servers/on-servers.js';
import { placeForEachTest, until, within } from './harness.js';
import { expectEachOnce, Indices } from './indices.js';

const place = placeForEachTest();
const COUNT = 500;
const LINES = Array.from({ length: COUNT }, (_, n) => `2026-11-23T10:00:00.000Z|ERROR|event ${n}\n`).join('');

/** `sink`: what stands between the braces of `elasticsearch`; `stage`: one more. */
function configured(sink: string, { stage = '', startDeadlineMs = 30_000 } = {}): void {
  place().write('a.log', LINES);
  place().write(
    'pipeline.yaml',
    `name: es
startDeadlineMs: ${startDeadlineMs}
source: { tail: { paths: ["*.log"] } }
stages:
  - parse: { format: delimited, separator: "|", fields: [time, level, message] }
  - normalize: {}
${stage}
routes:
  - to: { elasticsearch: { ${sink} } }
`,
  );
}

describeOnElasticsearch()('access to Elasticsearch', { timeout: 120_000 }, () => {
  const node = elasticsearchForThisBlock();
  const indices = (): Indices => new Indices(node().url);

  async function throughProxy(
    use: (proxy: ElasticsearchProxy) => Promise<void>,
    tls?: Parameters<typeof ElasticsearchProxy.start>[1],
  ): Promise<void> {
    const proxy = await ElasticsearchProxy.start(node().url, tls);
    try {
      await use(proxy);
    } finally {
      await proxy.stop();
    }
  }

  it.each([
    ['an API key', 'apiKey: "${SECRET}"', (secret: string) => `ApiKey ${secret}`],
    [
      'name and password',
      'username: me, password: "${SECRET}"',
      (secret: string) => `Basic ${Buffer.from(`me:${secret}`).toString('base64')}`,
    ],
  ])('%s: a wrong one is said loudly and waited for, the right one is let in', async (what, who, headerOf) => {
    const index = `auth-${what.replaceAll(' ', '-').toLowerCase()}`;
    await throughProxy(async (proxy) => {
      configured(`nodes: ["${proxy.url}"], index: ${index}, ${who}`);
      proxy.authorization = headerOf('right-secret');
      const running = place().start(['run', 'pipeline.yaml'], { env: { SECRET: 'wrong-secret' } });
      await until('it is said', () => running.stderr().includes('MILLRACE_E_ELASTICSEARCH_DENIED'));
      const before = proxy.requests;
      await wait(3000);
      // The waits double: not at full speed.
      expect(proxy.requests - before).toBeLessThan(30);
      expect(await indices().count(index)).toBe(0);
      running.kill('SIGKILL');
      const { stderr } = await running.ended;
      expect(stderr).toContain('delivering: Elasticsearch refuses these credentials');
      expect(stderr).not.toContain('wrong-secret');
      const { summary } = await place().once('pipeline.yaml', { env: { SECRET: 'right-secret' } });
      expect(summary).toMatchObject({ delivered: COUNT, duplicates: 0, deadLettered: 0 });
      expectEachOnce(await indices().messages(index), COUNT);
    });
  });

  it('TLS: an authority of our own, none, and none that is asked for', async () => {
    const { server } = certificatesIn(place().folder);
    await throughProxy(async (proxy) => {
      configured(`nodes: ["${proxy.url}"], index: tls-own, tls: { ca: "\${file:ca.pem}" }`);
      expect((await place().once()).summary.delivered).toBe(COUNT);
      place().remove('data');
      configured(`nodes: ["${proxy.url}"], index: tls-none`, { startDeadlineMs: 10_000 });
      const refused = await place().run(['run', 'pipeline.yaml', '--once']);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('self-signed certificate');
      configured(`nodes: ["${proxy.url}"], index: tls-any, tls: { verify: false }`);
      expect((await place().once()).summary.delivered).toBe(COUNT);
    }, server);
    expect(await indices().names('tls-*')).toEqual(['tls-any', 'tls-own']);
  });

  it('of two nodes one is away from the start, then the other way round: it goes on', async () => {
    await throughProxy(async (one) => {
      await throughProxy(async (two) => {
        one.fault = { kind: 'down' };
        configured(`nodes: ["${one.url}", "${two.url}"], index: nodes`);
        const running = place().start(['run', 'pipeline.yaml']);
        await indices().fill('nodes', COUNT);
        one.fault = { kind: 'none' };
        two.fault = { kind: 'down' };
        place().append(place().path('a.log'), LINES.replaceAll('event', 'later'));
        await indices().fill('nodes', COUNT * 2);
        running.kill('SIGTERM');
        const { code, stderr } = await within(30_000, 'the end', running.ended);
        expect(code, stderr).toBe(0);
        expect([one.faults > 0, two.faults > 0]).toEqual([true, true]);
        expectEachOnce(await indices().messages('nodes'), COUNT * 2);
      });
    });
  });

  it('a template that may not be installed is said, and is no fault', async () => {
    await throughProxy(async (proxy) => {
      proxy.fault = { kind: 'noTemplates' };
      configured(`nodes: ["${proxy.url}"], index: untemplated`);
      const { summary, stderr } = await place().once();
      expect(summary.delivered).toBe(COUNT);
      expect(stderr).toContain('the index template millrace-untemplated is not installed');
    });
  });

  it('a template that does not go with another one is said, and is no fault; one that is there stays', async () => {
    const theirs = { index_patterns: ['clash*'], priority: 200, template: {} };
    await indices().putTemplate('theirs', theirs);
    configured(`nodes: ["${node().url}"], index: clash`);
    const first = await place().once();
    expect(first.summary.delivered).toBe(COUNT);
    expect(first.stderr).toContain('the index template millrace-clash is not installed');
    configured(`nodes: ["${node().url}"], index: stays`);
    place().remove('data');
    await place().once();
    place().remove('data');
    expect((await place().once()).stderr).not.toContain('is not installed');
  });

  it('the index is that of the day in UTC, and its name is one that Elasticsearch takes', async () => {
    const stage = `  - fields: { set: { service.name: 'Order/API #1, "new"' } }`;
    configured(`nodes: ["${node().url}"], index: "utc-{service.name}-{@timestamp:yyyy.MM.dd}"`, { stage });
    place().write(
      'a.log',
      [
        '2026-11-24T01:00:00+02:00|ERROR|late in the evening\n',
        '2026-11-23T22:00:00-05:00|ERROR|the day after\n',
        'whenever|ERROR|nobody knows\n',
      ].join(''),
    );
    // What has no date has that of the day when it came in.
    const days = [dayOf(new Date())];
    const { summary, stderr } = await place().once();
    days.push(dayOf(new Date()));
    expect(summary, stderr).toMatchObject({ delivered: 3, deadLettered: 0 });
    const name = 'utc-order-api--1---new-';
    const found = await indices().names('utc-*');
    expect(found).toEqual(expect.arrayContaining([`${name}-2026.11.23`, `${name}-2026.11.24`]));
    expect(days.map((day) => `${name}-${day}`)).toContain(found.at(-1));
  });
});
