import { parseArgs } from 'node:util';
import { argumentFault } from './command-io.js';
import { loadConfigurations } from './configurations.js';
import { configurationsFor, isConfiguration } from './file-arguments.js';
import { runPipelines } from './run.js';
import type { RunIo } from './run.js';

const USAGE = 'usage: millrace [run] [CONFIG.yaml … | FILE …] [--once]';
const DEFAULT_CONFIGURATION = 'config/default.yaml';

/** What somebody should know who has said nothing but `npm start`. */
const ABOUT_DEFAULT = `millrace runs ${DEFAULT_CONFIGURATION}: an example log is written to logs/example.log; its errors and
warnings are shown here and kept in out/problems.ndjson, and every event is stored. Ctrl-C ends it.

  Search what is stored:                node dist/main.js search --level error --since 1h
  Your own files, live, nothing kept:   node dist/main.js tail /var/log/app.log
  Your own files, shown and stored:     node dist/main.js run /var/log/app.log
  Your own pipeline:                    copy ${DEFAULT_CONFIGURATION}, change "paths", node dist/main.js run yours.yaml

`;

interface Arguments {
  readonly once: boolean;
  readonly configurations: readonly string[];
  readonly files: readonly string[];
}

function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { once: { type: 'boolean' } },
    allowPositionals: true,
  });
  return {
    once: values.once ?? false,
    configurations: positionals.length === 0 ? [DEFAULT_CONFIGURATION] : positionals.filter(isConfiguration),
    files: positionals.filter((path) => !isConfiguration(path)),
  };
}

/** `run`: pipelines until they are done or a signal comes. Gives the exit code. */
export async function run(args: readonly string[], io: RunIo): Promise<number> {
  let given: Arguments;
  try {
    given = readArguments(args);
  } catch (error) {
    io.stderr.write(`${argumentFault(error)}\n${USAGE}\n`);
    return 1;
  }
  const made = configurationsFor(given.files, io.cwd);
  const { pipelines, faults } = loadConfigurations(
    [...given.configurations, ...made.map(({ text }) => ({ file: 'log files', text }))],
    io,
  );
  if (faults.length > 0) {
    io.stderr.write(`${faults.join('\n')}\n`);
    return 1;
  }
  for (const { explanation } of made) io.stderr.write(`${explanation}\n`);
  if (args.length === 0) io.stderr.write(ABOUT_DEFAULT);
  return runPipelines(
    pipelines.map(({ config }) => config),
    given.once,
    io,
  );
}
