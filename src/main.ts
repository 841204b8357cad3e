#!/usr/bin/env node
import { boundYoungGeneration } from './service/heap.js';
import { check } from './service/check-command.js';
import { generate } from './service/generate.js';
import { graph } from './service/graph-command.js';
import { run } from './service/run-command.js';
import type { RunIo } from './service/run.js';
import { schema } from './service/schema-command.js';
import { tailFiles } from './service/tail-command.js';

const USAGE = `usage:
  millrace [run] [CONFIG.yaml … | FILE …] [--once]   run pipelines (default: config/default.yaml)
  millrace tail FILE … [--level LEVELS] [--grep RE]  live view of log files, nothing is stored
  millrace check CONFIG.yaml …                       validate configurations
  millrace graph CONFIG.yaml [--ascii]               draw the pipelines
  millrace generate [--rate N] [--count N] …         write an example log
  millrace schema                                    JSON Schema of the configuration
`;

/** npm and the terminal both pass Ctrl-C on: the second copy comes within this time and is not a second signal. */
const NPM_REPEAT_MS = 500;

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

function commandOf(args: readonly string[]): readonly [string, readonly string[]] {
  const [first, ...rest] = args;
  const commands = ['run', 'tail', 'check', 'graph', 'generate', 'schema'];
  if (first === '--help' || first === '-h' || first === 'help') return ['help', rest];
  return first !== undefined && commands.includes(first) ? [first, rest] : ['run', args];
}

async function main(): Promise<number> {
  boundYoungGeneration();
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
  switch (command) {
    case 'tail':
      return tailFiles(args, io);
    case 'check':
      return check(args, io);
    case 'graph':
      return graph(args, io);
    case 'generate':
      return generate(args, io);
    case 'schema':
      return schema(args, io);
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    default:
      return run(args, io);
  }
}

process.exitCode = await main();
