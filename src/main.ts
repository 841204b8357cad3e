#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import module from 'node:module';
import { distance } from 'fastest-levenshtein';
import { boundHeap } from './service/heap.js';
import type { RunIo } from './service/run.js';

const USAGE = `usage:
  millrace [run] [CONFIG.yaml … | FILE …] [--once]   run pipelines (default: config/default.yaml)
  millrace tail FILE … [--level LEVELS] [--grep RE]  live view of log files, nothing is stored
  millrace search [TEXT] [--level LEVELS] [--since TIME] [--where FIELD=VALUE] …   search what is stored
  millrace check CONFIG.yaml …                       validate configurations
  millrace graph CONFIG.yaml [--ascii]               draw the pipelines
  millrace generate [--rate N] [--count N] …         write an example log
  millrace schema                                    JSON Schema of the configuration
  millrace --help, --version
`;

/** npm and the terminal both pass Ctrl-C on: the second copy comes within this time and is not a second signal. */
const NPM_REPEAT_MS = 500;

/** No writing for the group, nothing for others: files are 0640 at most, folders 0750. */
const OTHERS_NOTHING = 0o027;

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  let firstAt = 0;
  const onSignal = (): void => {
    if (!controller.signal.aborted) {
      firstAt = performance.now();
      controller.abort();
      return;
    }
    const isRepeat = process.env['npm_lifecycle_event'] !== undefined && performance.now() - firstAt < NPM_REPEAT_MS;
    if (!isRepeat) process.exit(3);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}

/** Within this time what was closed is gone. */
const LEAVING_MS = 500;

const COMMANDS = ['run', 'tail', 'search', 'check', 'graph', 'generate', 'schema'];
/** These have a usage of their own. */
const EXPLAINED = ['tail', 'search', 'generate'];

function commandOf(args: readonly string[]): readonly [string, readonly string[]] {
  const [first, ...rest] = args;
  const isHelp = args.some((arg) => arg === '--help' || arg === '-h');
  if (first === 'help' || (isHelp && !EXPLAINED.includes(first ?? ''))) return ['help', rest];
  if (first === '--version') return ['version', rest];
  if (first === undefined || COMMANDS.includes(first)) return [first ?? 'run', rest];
  return isMistyped(first) ? ['unknown', args] : ['run', args];
}

/** A word that is no file, but nearly a command: waiting for a log file of that name would help nobody. */
function isMistyped(word: string): boolean {
  return /^[a-z]+$/.test(word) && !existsSync(word) && COMMANDS.some((command) => distance(word, command) <= 2);
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}

async function main(): Promise<number> {
  // Nobody reads any more (`2>&1 | head`): that is no reason to end in the middle of a batch, or with a stack trace.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  // What is compiled is kept for the next time: commands begin a quarter sooner. From Node 22.1 on.
  (module as { enableCompileCache?: () => unknown }).enableCompileCache?.();
  boundHeap();
  // Logs are nobody else's business, in whatever file they lie: DuckDB makes its own. Set once: a change around each
  // opening would hit what other pipelines make meanwhile.
  const before = process.umask(0o777);
  process.umask(before | OTHERS_NOTHING);
  const [command, args] = commandOf(process.argv.slice(2));
  const io: RunIo = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: stopSignal(),
    env: process.env,
    cwd: process.cwd(),
    pid: process.pid,
    isStdoutTerminal: process.stdout.isTTY,
    isStderrTerminal: process.stderr.isTTY,
    probe: (pid) => process.kill(pid, 0),
  };
  // Each command loads what it needs: a search has its answer sooner without what only pipelines use.
  switch (command) {
    case 'tail':
      return (await import('./service/tail-command.js')).tailFiles(args, io);
    case 'search':
      return (await import('./service/search-command.js')).search(args, io);
    case 'check':
      return (await import('./service/check-command.js')).check(args, io);
    case 'graph':
      return (await import('./service/graph-command.js')).graph(args, io);
    case 'generate':
      return (await import('./service/generate.js')).generate(args, io);
    case 'schema':
      return (await import('./service/schema-command.js')).schema(args, io);
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    case 'version':
      process.stdout.write(`millrace ${version()}, Node ${process.versions.node}\n`);
      return 0;
    case 'unknown':
      process.stderr.write(`no command ${args[0] ?? ''}, and no file of that name\n${USAGE}`);
      return 1;
    default: {
      const code = await (await import('./service/run-command.js')).run(args, io);
      // A connection to somebody who does not answer any more would keep the process for half a minute.
      setTimeout(() => process.exit(code), LEAVING_MS).unref();
      return code;
    }
  }
}

process.exitCode = await main();
