import { createWriteStream } from 'node:fs';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { firstValueFrom, fromEvent, takeUntil } from 'rxjs';
import { messageOf } from '../model/errors.js';
import { isOutputClosed, writeTo } from '../sinks/console/write-to.js';
import type { WriteText } from '../sinks/console/write-to.js';
import { generatedLine } from '../sources/generator/lines.js';
import type { LineStyle } from '../sources/generator/lines.js';
import { argumentFault, UsageFault } from './command-io.js';
import type { CommandIo } from './command-io.js';

const USAGE = `Usage: millrace generate [options]
  --rate N        lines per second; 0: as fast as possible (default: 10, with --count 0)
  --count N       how many lines (default: until it is stopped)
  --seed N        the same seed makes the same lines (default: 1)
  --format NAME   delimited, json or apache (default: delimited)
  --no-anomaly    nothing unusual happens (default: --anomaly)
  --out FILE      written anew (default: the standard output)
`;

const FORMATS = ['delimited', 'json', 'apache'] as const;
const CHUNK_CHARS = 65_536;
const TICK_MS = 50;
/** How fast the log's own time goes when lines are made as fast as possible, in lines per second. */
const UNPACED_RATE = 100;

interface GenerateOptions {
  /** Lines per second; 0: as fast as possible. */
  readonly rate: number;
  readonly count: number;
  readonly seed: number;
  readonly format: LineStyle['format'];
  readonly anomaly: boolean;
  readonly out: string | undefined;
  readonly help: boolean;
}

/**
 * The command `generate`: writes a made-up log to a file or the standard output, at a rate or as fast as it is taken.
 * Returns the exit code: 0 when everything is written, when it was stopped, or when nobody reads on (`| head`); 1 for bad
 * arguments and for an output that cannot be written.
 */
export async function generate(args: readonly string[], io: CommandIo): Promise<number> {
  try {
    const options = optionsOf(args);
    if (options.help) io.stdout.write(USAGE);
    else if (options.out === undefined) await writeLog(options, writeTo(io.stdout), io.signal);
    else await writeFile(options, options.out, io.signal);
    return 0;
  } catch (error) {
    if (isOutputClosed(error)) return 0;
    const usage = error instanceof UsageFault ? `\n${USAGE}` : '\n';
    io.stderr.write(`millrace generate: ${messageOf(error)}${usage}`);
    return 1;
  }
}

function optionsOf(args: readonly string[]): GenerateOptions {
  const { rate, count, seed, format, anomaly, out, help } = valuesOf(args);
  return {
    rate: numberOf('rate', rate) ?? (count === undefined ? 10 : 0),
    count: wholeNumberOf('count', count) ?? Infinity,
    seed: wholeNumberOf('seed', seed) ?? 1,
    format: formatOf(format),
    anomaly,
    out,
    help,
  };
}

interface Values {
  readonly rate?: string;
  readonly count?: string;
  readonly seed?: string;
  readonly format: string;
  readonly anomaly: boolean;
  readonly out?: string;
  readonly help: boolean;
}

function valuesOf(args: readonly string[]): Values {
  const string = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      allowNegative: true,
      options: {
        rate: string,
        count: string,
        seed: string,
        format: { ...string, default: 'delimited' },
        anomaly: { type: 'boolean', default: true },
        out: string,
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageFault(argumentFault(error), { cause: error });
  }
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(value)) throw new UsageFault(`--${name} must be a number, 0 or more, but is '${text}'`);
  return value;
}

function wholeNumberOf(name: string, text: string | undefined): number | undefined {
  const value = text !== undefined && !/^\d+$/.test(text) ? NaN : numberOf(name, text);
  if (value === undefined || Number.isSafeInteger(value)) return value;
  throw new UsageFault(`--${name} must be a whole number, 0 or more, but is '${String(text)}'`);
}

function formatOf(text: string): LineStyle['format'] {
  const format = FORMATS.find((each) => each === text);
  if (format === undefined) throw new UsageFault(`--format must be one of ${FORMATS.join(', ')}, but is '${text}'`);
  return format;
}

async function writeFile(options: GenerateOptions, path: string, signal: AbortSignal): Promise<void> {
  const file = createWriteStream(path);
  const closed = new Promise<void>((resolve, reject) => {
    file.once('close', resolve);
    file.once('error', reject);
  });
  try {
    await Promise.race([writeLog(options, writeTo(file), signal), closed]);
  } finally {
    file.end();
    await closed;
  }
}

/** Writes what is due, again and again; the next lines are made when the output has taken the last ones. */
async function writeLog(options: GenerateOptions, write: WriteText, signal: AbortSignal): Promise<void> {
  const { rate, count } = options;
  const beganAt = Date.now();
  const isPaced = rate > 0;
  const style = { ...options, rate: isPaced ? rate : UNPACED_RATE, startedAt: beganAt };
  // A log that is made at once is one that has just been written to its end.
  if (!isPaced && count < Infinity) style.startedAt -= Math.ceil((count * 1000) / style.rate);
  let next = 0;
  while (next < count && !signal.aborted) {
    const due = isPaced ? Math.min(count, Math.floor(((Date.now() - beganAt) * rate) / 1000) + 1) : count;
    const { text, end } = chunk(style, next, due);
    if (text !== '') await untilAborted(write(text), signal);
    next = end;
    // Signals are only seen between turns of the event loop, however fast the output is.
    await (next < due || next >= count ? nextTurn() : pause(TICK_MS, signal));
  }
}

/** Lines from `first` on, up to `due`, but not many more than 64 Ki characters. */
function chunk(style: LineStyle, first: number, due: number): { readonly text: string; readonly end: number } {
  let text = '';
  let end = first;
  while (end < due && text.length < CHUNK_CHARS) text += `${generatedLine(style, end++)}\n`;
  return { text, end };
}

/** Waits for a write, but not longer than the command is to run: a reader that sleeps must not keep it from ending. */
async function untilAborted(written: ReturnType<WriteText>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await firstValueFrom(written.pipe(takeUntil(fromEvent(signal, 'abort'))), { defaultValue: undefined });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
