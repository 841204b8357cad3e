import { open } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  defer,
  filter,
  from,
  fromEvent,
  lastValueFrom,
  map,
  merge,
  retry,
  switchMap,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import type { Observable, OperatorFunction } from 'rxjs';
import { isTransient, messageOf } from '../model/errors.js';
import { severityOf } from '../model/severity.js';
import { neutralise } from '../sinks/console/pretty.js';
import { isOutputClosed, writeTo } from '../sinks/console/write-to.js';
import { fromTail } from '../sources/tail/from-tail.js';
import { wantsColours } from './colours.js';
import type { Environment } from './colours.js';
import { argumentFault, UsageFault } from './command-io.js';
import type { CommandIo } from './command-io.js';
import { guessFormat } from './guess-format.js';
import { lineView } from './live-view.js';
import type { ViewOptions } from './live-view.js';
import { print } from './print.js';

const USAGE = `Usage: millrace tail [options] FILE…
  --level LIST    only these levels, e.g. ERROR,WARN
  --grep REGEX    only lines in which it finds something
`;

/** How many lines of a file that is there already are shown. */
const LAST_LINES = 10;
/** How often a file that is not there is looked for. */
const RETRY_MS = 1000;
/** What the format is guessed from. */
const HEAD_BYTES = 65_536;
const SAMPLE_LINES = 100;

/** What `tail` uses of the process. */
interface TailIo extends CommandIo {
  readonly env: Environment;
}

interface TailCommandOptions extends Omit<ViewOptions, 'colours'> {
  readonly paths: readonly string[];
  readonly help: boolean;
}

/**
 * The command `tail`: a live view of some files, each in the format that it seems to have; nothing is stored. A file that
 * is missing, or goes missing, is told once and waited for. Runs until it is stopped or nobody looks any more. Returns
 * the exit code: 0, or 1 for bad arguments and for an output that cannot be written.
 */
export async function tailFiles(args: readonly string[], io: TailIo): Promise<number> {
  try {
    const options = optionsOf(args);
    if (options.help) io.stdout.write(USAGE);
    else await show(options, io);
    return 0;
  } catch (error) {
    if (isOutputClosed(error)) return 0;
    const usage = error instanceof UsageFault ? `\n${USAGE}` : '\n';
    io.stderr.write(`millrace tail: ${messageOf(error)}${usage}`);
    return 1;
  }
}

function optionsOf(args: readonly string[]): TailCommandOptions {
  const { values, positionals } = parsedArgs(args);
  if (positionals.length === 0 && !values.help) throw new UsageFault('which files? None is named');
  return { paths: positionals, levels: levelsOf(values.level), grep: grepOf(values.grep), help: values.help };
}

interface ParsedArgs {
  readonly values: { readonly level?: string; readonly grep?: string; readonly help: boolean };
  readonly positionals: readonly string[];
}

function parsedArgs(args: readonly string[]): ParsedArgs {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        level: { type: 'string' },
        grep: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageFault(argumentFault(error), { cause: error });
  }
}

function levelsOf(list: string | undefined): readonly string[] | undefined {
  const levels = list?.split(',').map((level) => level.trim());
  const unknown = levels?.find((level) => severityOf(level) === undefined);
  if (unknown === undefined) return levels;
  throw new UsageFault(`--level must be a list of TRACE, DEBUG, INFO, WARN, ERROR, FATAL, but has '${unknown}'`);
}

function grepOf(pattern: string | undefined): RegExp | undefined {
  try {
    return pattern === undefined ? undefined : new RegExp(pattern, 'u');
  } catch (error) {
    throw new UsageFault(`--grep: ${messageOf(error)}`, { cause: error });
  }
}

async function show({ paths, ...filters }: TailCommandOptions, { stdout, stderr, signal, env }: TailIo): Promise<void> {
  if (signal.aborted) return;
  const view: ViewOptions = { ...filters, colours: wantsColours(env, 'isTTY' in stdout && stdout.isTTY === true) };
  const tell = (message: string): void => void stderr.write(`millrace tail: ${neutralise(message)}\n`);
  const shown = merge(...paths.map((path) => shownLines(path, view, tell)));
  await lastValueFrom(shown.pipe(print(writeTo(stdout)), takeUntil(fromEvent(signal, 'abort'))), {
    defaultValue: undefined,
  });
}

/** What is shown of a file: its last lines and what is added; all lines of one that comes, or comes back, later. */
function shownLines(path: string, view: ViewOptions, tell: (message: string) => void): Observable<string> {
  return defer(() => {
    let isNew = false;
    let isWaiting = false;
    const lines = defer(() => from(headOf(path))).pipe(
      switchMap((head) =>
        fromTail(path, isNew ? { fromBeginning: true } : { lastLines: LAST_LINES }).pipe(
          tap(() => (isWaiting = false)),
          readable(path, head, view),
        ),
      ),
    );
    const waitForIt = (error: unknown): Observable<unknown> => {
      if (!isTransient(error)) throw error;
      if (!isWaiting) tell(`${messageOf(error)}; waiting for it`);
      isWaiting = true;
      isNew = true;
      return timer(RETRY_MS);
    };
    return lines.pipe(retry({ delay: waitForIt }));
  });
}

/** Shows lines in the format that the file's first ones have. While there are few, each further one may change the guess. */
function readable(path: string, head: readonly string[], options: ViewOptions): OperatorFunction<string, string> {
  return (lines) =>
    defer(() => {
      const sample = [...head];
      let guess = guessFormat(sample);
      let view = lineView(path, guess.stages, options);
      const learn = (line: string): void => {
        sample.push(line);
        const better = guessFormat(sample);
        if (better.name === guess.name) return;
        guess = better;
        view = lineView(path, guess.stages, options);
      };
      return lines.pipe(
        map((line) => {
          if (sample.length < SAMPLE_LINES) learn(line);
          return view(line);
        }),
        filter((line) => line !== undefined),
      );
    });
}

/** The first lines of a file; none if it cannot be read: whoever tails it will say why. */
async function headOf(path: string): Promise<readonly string[]> {
  try {
    const file = await open(path);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      // What follows the last line end is no line yet.
      return buffer.toString('utf8', 0, bytesRead).split(/\r?\n/).slice(0, -1).slice(0, SAMPLE_LINES);
    } finally {
      await file.close();
    }
  } catch {
    return [];
  }
}
