// Other agents, doing the same job in the same run: read the log, parse time|level|message, keep ERROR and WARN, write JSON
// lines to a file. Only what is installed is measured. In the foreground, with no listener, in a temporary folder.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const GIVE_UP_MS = 180_000;

const rsyslog = (folder, input, out) => `global(workDirectory="${folder}")
main_queue(queue.type="LinkedList" queue.size="100000" queue.dequeueBatchSize="4096")
module(load="imfile" mode="inotify")
template(name="out" type="list" option.jsonf="on") {
  property(outname="@timestamp" name="$.time" format="jsonf")
  property(outname="log.level" name="$.level" format="jsonf")
  property(outname="message" name="$.message" format="jsonf")
}
ruleset(name="app") {
  set $.level = field($msg, 124, 2);
  if ($.level == "ERROR" or $.level == "WARN") then {
    set $.time = field($msg, 124, 1);
    set $.message = re_extract($msg, "^[^|]*[|][^|]*[|](.*)", 0, 1, "");
    action(type="omfile" file="${out}" template="out" ioBufferSize="256k" flushOnTXEnd="on")
  }
}
input(type="imfile" file="${input}" tag="app" ruleset="app")
`;

const syslogNg = (version, input, out) => `@version: ${version}
options { stats-freq(0); use-dns(no); };
source s { file("${input}" flags(no-parse) follow-freq(0.1) log-iw-size(100000) log-fetch-limit(10000)); };
parser p { csv-parser(columns("app.time", "app.level", "app.message") delimiters("|") flags(greedy)); };
filter f { "\${app.level}" eq "ERROR" or "\${app.level}" eq "WARN" };
destination d {
  file("${out}" flush-lines(1000) log-fifo-size(200000)
    template("$(format-json --scope none @timestamp=\${app.time} log.level=\${app.level} message=\${app.message})\\n"));
};
log { source(s); parser(p); filter(f); destination(d); flags(flow-control); };
`;

/** What is measured beside millrace, and how it is started. */
export const AGENTS = [
  {
    name: 'rsyslog',
    program: 'rsyslogd',
    versionArgs: ['-v'],
    version: /rsyslogd\s+(\S+)/,
    package: 'rsyslog',
    prepare: (folder, input, out) => {
      const config = join(folder, 'rsyslog.conf');
      writeFileSync(config, rsyslog(folder, input, out));
      return ['-n', '-f', config, '-i', join(folder, 'pid')];
    },
  },
  {
    name: 'syslog-ng',
    program: 'syslog-ng',
    versionArgs: ['--version'],
    version: /\((\d\S*)\)/,
    package: 'syslog-ng-core',
    prepare: (folder, input, out, version) => {
      const config = join(folder, 'syslog-ng.conf');
      writeFileSync(config, syslogNg(version.split('.').slice(0, 2).join('.'), input, out));
      const files = ['-R', join(folder, 'persist'), '-p', join(folder, 'pid'), '-c', join(folder, 'control')];
      return ['-F', '--no-caps', '-f', config, ...files];
    },
  },
];

// They are in /usr/sbin, which is not on every user's path.
const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` };

/** The version of an agent; undefined if it is not installed. */
export function versionOf({ program, versionArgs, version }) {
  const { stdout, error } = spawnSync(program, versionArgs, { encoding: 'utf8', env });
  return error === undefined ? version.exec(stdout)?.[1] : undefined;
}

/** The lines that a growing file has more than at the last look. */
class LineCount {
  count = 0;
  #position = 0;
  #path;
  #block = Buffer.alloc(1024 * 1024);

  constructor(path) {
    this.#path = path;
  }

  look() {
    let file;
    try {
      file = openSync(this.#path, 'r');
    } catch {
      return 0;
    }
    for (let read; (read = readSync(file, this.#block, 0, this.#block.length, this.#position)) > 0;) {
      this.#position += read;
      for (let at = -1; (at = this.#block.indexOf(10, at + 1)) >= 0 && at < read;) this.count++;
    }
    closeSync(file);
    return this.count;
  }
}

/** Starts a program; gives the seconds until its output has `expected` lines. It is killed then. */
export async function secondsUntil(program, args, out, expected) {
  const startedAt = performance.now();
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (said = (said + text).slice(-2000)));
  const gone = once(child, 'close');
  const lines = new LineCount(out);
  try {
    while (lines.look() < expected) {
      if (performance.now() - startedAt > GIVE_UP_MS || child.exitCode !== null) {
        throw new Error(`${program}: ${lines.count} of ${expected} lines; ${said}`);
      }
      await sleep(10);
    }
    const seconds = (performance.now() - startedAt) / 1000;
    // Whatever comes too often comes now.
    await sleep(300);
    if (lines.look() !== expected) throw new Error(`${program}: ${lines.count} lines, not ${expected}`);
    return seconds;
  } finally {
    child.kill('SIGKILL');
    await gone;
  }
}

/** One run of an agent, in a fresh folder. Checks that the output is what was asked for. */
export async function runAgent(agent, version, folder, input, expected) {
  const place = join(folder, agent.name);
  const out = join(place, 'out');
  mkdirSync(place);
  try {
    const seconds = await secondsUntil(agent.program, agent.prepare(place, input, out, version), out, expected);
    checkOutput(agent.name, readFileSync(out, 'utf8'));
    return seconds;
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** The same three fields, of the right lines. */
function checkOutput(name, text) {
  for (const line of text.trimEnd().split('\n')) {
    const event = JSON.parse(line);
    const level = event['log.level'] ?? event.log?.level;
    if ((level !== 'ERROR' && level !== 'WARN') || !event['@timestamp'] || !event.message?.startsWith('order ')) {
      throw new Error(`${name}: not the same work was done: ${line}`);
    }
  }
}
