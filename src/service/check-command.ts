import { parseArgs } from 'node:util';
import { loadConfigurations } from './configurations.js';
import type { ConfigPlace } from './configurations.js';
import { argumentFault } from './command-io.js';
import type { CommandIo } from './command-io.js';

/** `check`: every fault of the configurations at once. Gives the exit code. */
export function check(args: readonly string[], io: CommandIo & ConfigPlace): number {
  let paths: string[];
  try {
    paths = parseArgs({ args: [...args], options: {}, allowPositionals: true }).positionals;
    if (paths.length === 0) throw new Error('no configuration given');
  } catch (error) {
    io.stderr.write(`${argumentFault(error)}\nusage: millrace check CONFIG.yaml …\n`);
    return 1;
  }
  const { pipelines, faults } = loadConfigurations(paths, io);
  if (faults.length > 0) {
    io.stderr.write(`${faults.join('\n')}\n`);
    return 1;
  }
  io.stdout.write(`${pipelines.map(({ config }) => `${config.name}: fine`).join('\n')}\n`);
  return 0;
}
