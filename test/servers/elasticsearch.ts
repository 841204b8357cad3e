import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { freePorts } from './free-ports.js';
import { classesOf, jarsOf } from './jars.js';
import { JavaProcess } from './java-process.js';
import { serverFolder } from './server-folder.js';

const MAIN = 'ElasticsearchNode';
const PLUGIN = 'transport-netty4';
const DESCRIPTION = `META-INF/es-plugins/${PLUGIN}`;

/** An Elasticsearch node of the tests. */
export interface Elasticsearch {
  readonly url: string;
  /** Its process, when it is ours: one from ELASTICSEARCH_URL can be neither killed nor started. */
  readonly process: JavaProcess | undefined;
  stop(): Promise<void>;
}

/** Settings beyond those that a single node on this machine needs: elasticsearch.yml keys. */
type Settings = Readonly<Record<string, string>>;

/** The node of ELASTICSEARCH_URL, or one of our own, from jars. */
export async function startElasticsearch(settings: Settings = {}): Promise<Elasticsearch> {
  const given = process.env['ELASTICSEARCH_URL'];
  if (given !== undefined) return { url: given, process: undefined, stop: () => Promise.resolve() };
  const [port] = await freePorts(1);
  const home = serverFolder();
  layOut(home, { 'http.port': String(port), ...settings });
  const node = new JavaProcess({ name: 'Elasticsearch', cwd: home, args: javaArgs(home), ready: /node started/ });
  const stop = async (): Promise<void> => {
    await node.kill();
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await node.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://127.0.0.1:${String(port)}`, process: node, stop };
}

function layOut(home: string, settings: Settings): void {
  const jars = jarsOf('elasticsearch-netty4');
  const others = new Set(readdirSync(jarsOf('elasticsearch')));
  const plugin = join(home, 'modules', PLUGIN);
  for (const folder of [join(home, 'config'), join(home, 'logs'), join(home, 'tmp'), plugin])
    mkdirSync(folder, { recursive: true });
  for (const jar of readdirSync(jars)) if (!others.has(jar)) cpSync(join(jars, jar), join(plugin, jar));
  const own = readdirSync(plugin).find((jar) => jar.startsWith(PLUGIN)) ?? '';
  execFileSync('jar', ['xf', own, DESCRIPTION], { cwd: plugin });
  for (const name of readdirSync(join(plugin, DESCRIPTION)))
    cpSync(join(plugin, DESCRIPTION, name), join(plugin, name));
  writeFileSync(join(home, 'config', 'log4j2.properties'), LOGGING);
  const all = { ...SETTINGS, 'path.home': home, ...settings };
  writeFileSync(
    join(home, 'node.properties'),
    Object.entries(all)
      .map((entry) => entry.join('='))
      .join('\n'),
  );
}

function javaArgs(home: string): string[] {
  return [
    ...['-Xmx1g', '-Xms256m', '-XX:+UseSerialGC', `-Djava.io.tmpdir=${join(home, 'tmp')}`],
    ...[`-Des.path.home=${home}`, '-Des.set.netty.runtime.available.processors=false', '-Dlog4j2.disable.jmx=true'],
    ...['--module-path', jarsOf('elasticsearch'), '--add-modules=jdk.net', '--add-modules=ALL-MODULE-PATH'],
    ...['-cp', classesOf('elasticsearch', MAIN), MAIN, home],
  ];
}

const SETTINGS: Settings = {
  'cluster.name': 'millrace-test',
  'node.name': 'node',
  'network.host': '127.0.0.1',
  'transport.port': '0',
  'discovery.type': 'single-node',
  'cluster.routing.allocation.disk.threshold_enabled': 'false',
};

const LOGGING = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
`;
