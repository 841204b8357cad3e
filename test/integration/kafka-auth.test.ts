import { setTimeout as wait } from 'node:timers/promises';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startKafka } from '../servers/kafka.js';
import type { Kafka } from '../servers/kafka.js';
import { describeOnKafka } from '../servers/on-servers.js';
import { TcpProxy } from '../servers/tcp-proxy.js';
import { placeForEachTest, within } from './harness.js';
import { Topics, USUAL_CLIENTS } from './kafka-topics.js';

const place = placeForEachTest();

const AUTHORITY = 'org.apache.kafka.common.security';
const SETTINGS = {
  'listener.name.external.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
  'listener.name.external.plain.sasl.jaas.config': `${AUTHORITY}.plain.PlainLoginModule required user_me="right";`,
  'listener.name.external.scram-sha-256.sasl.jaas.config': `${AUTHORITY}.scram.ScramLoginModule required;`,
  'listener.name.external.scram-sha-512.sasl.jaas.config': `${AUTHORITY}.scram.ScramLoginModule required;`,
  'listener.name.external.oauthbearer.sasl.jaas.config': `${AUTHORITY}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
  'listener.name.external.oauthbearer.sasl.server.callback.handler.class': `${AUTHORITY}.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler`,
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
  'allow.everyone.if.no.acl.found': 'true',
};

/** A token without a signature, as the broker's unsecured validator takes it. */
function tokenUntil(seconds: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub: 'me', iat: seconds - 3600, exp: seconds })}.`;
}

const now = Math.floor(Date.now() / 1000);
const withPassword = (mechanism: string): string =>
  `{ mechanism: ${mechanism}, username: me, password: "\${SECRET:-}" }`;

/** What is said to the broker, with the right secret and a wrong one. */
const WAYS = [
  { name: 'PLAIN', sasl: withPassword('plain'), right: 'right', wrong: 'wrong-secret' },
  { name: 'SCRAM-SHA-256', sasl: withPassword('scram-sha-256'), right: 'right', wrong: 'wrong-secret' },
  { name: 'SCRAM-SHA-512', sasl: withPassword('scram-sha-512'), right: 'right', wrong: 'wrong-secret' },
  {
    name: 'OAUTHBEARER',
    sasl: '{ mechanism: oauthbearer, token: "${SECRET:-}" }',
    right: tokenUntil(now + 3600),
    wrong: tokenUntil(now - 60),
  },
] as const;

describeOnKafka().each(USUAL_CLIENTS)('a broker that asks who we are, and %s', (client) => {
  let proxy: TcpProxy;
  let kafka: Kafka;
  beforeAll(async () => {
    proxy = await TcpProxy.start();
    kafka = await startKafka({
      external: 'SASL_PLAINTEXT',
      advertised: [proxy.address],
      settings: SETTINGS,
      scram: ['SCRAM-SHA-256=[name=me,password=right]', 'SCRAM-SHA-512=[name=me,password=right]'],
    });
    proxy.target = kafka.external[0]!;
  }, 300_000);
  afterAll(async () => {
    await kafka.stop();
    await proxy.stop();
  });
  const topics = (): Topics => new Topics(kafka.brokers);

  const fromKafka = (sasl: string, from: string): string => `startDeadlineMs: \${DEADLINE_MS:-30000}
source:
  kafka: { client: ${client}, brokers: ["${proxy.address}"], sasl: ${sasl}, topics: [${from}], groupId: g-${from}, sessionTimeoutMs: 6000 }
routes:
  - to: { file: { path: out.txt, format: raw } }
`;
  const toKafka = (sasl: string, to: string): string => `startDeadlineMs: \${DEADLINE_MS:-30000}
source: { tail: { paths: ["*.log"], from: beginning } }
routes:
  - to: { kafka: { client: ${client}, brokers: ["${proxy.address}"], sasl: ${sasl}, topic: ${to}, format: raw } }
`;

  it.each(WAYS)(
    '$name: lets us in with the right secret; with a wrong one it is said, not tried at full speed, and nothing is lost',
    async ({ sasl, right, wrong }) => {
      const topic = await topics().create(1);
      place().write('a.log', 'a\nb\n');
      place().write('to.yaml', toKafka(sasl, topic));
      place().write('from.yaml', fromKafka(sasl, topic));
      for (const config of ['to.yaml', 'from.yaml']) {
        const before = proxy.connections;
        const refused = await place().once(config, { env: { SECRET: wrong, DEADLINE_MS: '3000' } });
        expect([refused.code, refused.stderr], refused.stderr).toEqual([
          2,
          expect.stringContaining('MILLRACE_E_KAFKA_AUTH'),
        ]);
        expect(refused.stderr).toContain('Kafka does not let us in');
        expect(refused.stderr).not.toContain(wrong);
        expect(refused.summary).toMatchObject({ read: 0, delivered: 0 });
        console.log(`${config}: ${proxy.connections - before} connections in 3 s`);
        expect(proxy.connections - before).toBeLessThan(20);
        const admitted = await place().once(config, { env: { SECRET: right } });
        expect(admitted.summary, admitted.stderr).toMatchObject({ read: 2, delivered: 2, duplicates: 0 });
      }
      expect((await topics().readAll(topic)).map(({ value }) => value)).toEqual(['a', 'b']);
      expect(await topics().committed(`g-${topic}`, topic)).toEqual([2]);
    },
  );

  it('does not know the mechanism: said in so many words', async () => {
    const topic = await topics().create(1);
    place().write('a.log', 'a\n');
    // The plain listener knows none.
    place().write('to.yaml', toKafka(WAYS[0].sasl, topic).replace(proxy.address, kafka.brokers[0]!));
    const { code, stderr } = await place().once('to.yaml', { env: { SECRET: 'right', DEADLINE_MS: '3000' } });
    expect([code, stderr], stderr).toEqual([2, expect.stringContaining('MILLRACE_E_KAFKA_AUTH')]);
  });

  it.each([
    ['writing to the topic', AclResourceTypes.TOPIC, AclOperationTypes.WRITE, 'to.yaml'],
    ['reading the topic', AclResourceTypes.TOPIC, AclOperationTypes.READ, 'from.yaml'],
    ['the group', AclResourceTypes.GROUP, AclOperationTypes.READ, 'from.yaml'],
  ])(
    '%s is forbidden while it runs: it waits, says so, and goes on when it is allowed',
    async (_, kind, operation, config) => {
      const topic = await topics().create(1);
      const sasl = WAYS[0].sasl;
      place().write('a.log', 'a\n');
      place().write('to.yaml', toKafka(sasl, topic));
      place().write('from.yaml', fromKafka(sasl, topic));
      const isTo = config === 'to.yaml';
      const env = { SECRET: 'right' };
      const running = place().start(['run', config], { env });
      const add = async (value: string): Promise<void> => {
        if (isTo) place().append(place().path('a.log'), `${value}\n`);
        else await topics().send(topic, [{ value }]);
      };
      if (!isTo) await add('a');
      const done = async (): Promise<number> =>
        isTo ? topics().size(topic) : ((await topics().committed(`g-${topic}`, topic))[0] ?? 0);
      const untilDone = async (count: number): Promise<void> => {
        for (let tries = 0; tries < 150 && (await done()) < count; tries++) await wait(200);
        expect(await done(), running.stderr()).toBe(count);
      };
      await untilDone(1);
      const acl = {
        resourceType: kind,
        resourceName: kind === AclResourceTypes.GROUP ? `g-${topic}` : topic,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        principal: 'User:me',
        host: '*',
        operation,
        permissionType: AclPermissionTypes.DENY,
      };
      await topics().admin((admin) => admin.createAcls({ acl: [acl] }));
      await add('b');
      for (let tries = 0; tries < 100 && !running.stderr().includes('MILLRACE_E_KAFKA_AUTH'); tries++) await wait(100);
      expect(running.stderr()).toContain('MILLRACE_E_KAFKA_AUTH');
      expect(await done()).toBe(1);
      await topics().admin((admin) => admin.deleteAcls({ filters: [acl] }));
      await untilDone(2);
      running.kill('SIGTERM');
      expect((await within(20_000, 'the end', running.ended)).code, running.stderr()).toBe(0);
    },
  );
});
