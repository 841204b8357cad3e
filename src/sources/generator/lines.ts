import type { Draw } from './chance.js';
import { happeningAt } from './happening.js';
import type { Happening } from './happening.js';
import type { GeneratorOptions } from './options.js';
import { BLOCK_RECORDS, outage, stretchAt, traceAt } from './stretches.js';
import { exception, frame } from './talk.js';
import type { GeneratedLevel } from './talk.js';

/** What a generated log looks like. Two equal ones have the same line at each index. */
export interface LineStyle extends Pick<GeneratorOptions, 'seed' | 'format' | 'anomaly'> {
  /** The time of record 0, in milliseconds since 1970. */
  readonly startedAt: number;
  /** Records a second of log time: record n is `n / rate` seconds after the first. */
  readonly rate: number;
}

/** The time of a record, in whole milliseconds since 1970. */
function generatedTime(style: Pick<LineStyle, 'startedAt' | 'rate'>, index: number): number {
  return Math.floor(style.startedAt + (index * 1000) / style.rate);
}

/**
 * The text of the index-th record, without a line end: a pure function, so a restart at any index goes on with the same log.
 * Every thousand records a database fails and recovers; with `anomaly` there are stretches of slowness and of traffic too.
 * In `delimited` a stack trace is several lines, and so several indexes; in `json` it is a field of its record.
 */
export function generatedLine(style: LineStyle, index: number): string {
  const place = placeInTrace(style.seed, index);
  if (place !== undefined && place > 0 && style.format === 'delimited') {
    return frame(happeningAt(style.seed, index, false).draw);
  }
  const happening = happeningAt(style.seed, index, style.anomaly);
  const told = place === 0 ? failure(happening) : happening;
  const time = new Date(generatedTime(style, index)).toISOString();
  switch (style.format) {
    case 'delimited':
      return delimitedLine(time, told);
    case 'json':
      return jsonLine(time, told, place === 0 ? stack(told) : undefined);
    case 'apache':
      return apacheLine(time, told);
  }
}

/** 0 for the record that a stack trace belongs to, n for its n-th frame, undefined outside of traces. */
function placeInTrace(seed: number, index: number): number | undefined {
  const block = Math.floor(index / BLOCK_RECORDS);
  const trace = traceAt(seed, block, stretchAt(outage, seed, block) !== undefined);
  if (trace === undefined) return undefined;
  const place = (index % BLOCK_RECORDS) - trace.head;
  return place >= 0 && place <= trace.frames ? place : undefined;
}

function failure(happening: Happening): Happening {
  return { ...happening, level: 'ERROR', service: 'payment', message: `unhandled ${exception(happening.draw)}` };
}

function stack({ draw }: Happening): string {
  const frames = [0, 1, 2, 3].map((n) => frame((salt, below) => draw(salt + 100 * n, below)));
  return [exception(draw), ...frames].join('\n');
}

/** 16 hexadecimal digits, in two halves that never need padding. */
function traceId(draw: Draw): string {
  return half(draw(21, 0x3000_0000)) + half(draw(22, 0x3000_0000));
}

function half(number: number): string {
  return (0x1000_0000 + number).toString(16);
}

function delimitedLine(time: string, { level, service, message, durationMs, draw }: Happening): string {
  return `${time}|${level}|${service}: ${message} durationMs=${durationMs} traceId=${traceId(draw)}`;
}

/** Written by hand, for speed: only message and stack trace can hold what JSON escapes. */
function jsonLine(time: string, told: Happening, stackTrace: string | undefined): string {
  const { level, service, message, durationMs, draw } = told;
  const stackTraceField = stackTrace === undefined ? '' : `,"stackTrace":${JSON.stringify(stackTrace)}`;
  const place = `"service":"${service}","durationMs":${durationMs},"traceId":"${traceId(draw)}"`;
  return `{"time":"${time}","level":"${level}","message":${JSON.stringify(message)},${place}${stackTraceField}}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const STATUSES: Readonly<Record<GeneratedLevel, readonly number[]>> = {
  DEBUG: [200, 204, 304],
  INFO: [200, 200, 200, 200, 201, 301, 304],
  WARN: [400, 401, 404, 404, 429],
  ERROR: [500, 502, 503, 504],
  FATAL: [503],
};

const AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15',
  'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0',
  'curl/8.5.0',
];
const SCRAPER = 'python-requests/2.32.3';

/** Apache's combined format. An anomaly shows as answers of 20 times the size, or as one client that asks for everything. */
function apacheLine(time: string, { level, service, durationMs, draw, crowded }: Happening): string {
  const statuses = STATUSES[level];
  const status = statuses[draw(61, statuses.length)] ?? 200;
  const scraped = crowded && draw(62, 10) < 9;
  const client = scraped ? '198.51.100.66' : `203.0.113.${1 + draw(63, 250)}`;
  const agent = scraped ? SCRAPER : (AGENTS[draw(64, AGENTS.length)] ?? SCRAPER);
  const verb = draw(65, 4) === 0 ? 'POST' : 'GET';
  const referer = draw(66, 3) === 0 ? '-' : `https://shop.example/${service}`;
  const bytes = status === 204 || status === 304 ? '-' : String(durationMs * 97);
  const request = `${verb} /api/${service}/${100 + draw(67, 900)} HTTP/1.1`;
  return `${client} - - [${apacheTime(time)}] "${request}" ${status} ${bytes} "${referer}" "${agent}"`;
}

/** `2026-03-09T10:11:12.345Z` as `09/Mar/2026:10:11:12 +0000`. */
function apacheTime(iso: string): string {
  const month = MONTHS[Number(iso.slice(5, 7)) - 1] ?? '';
  return `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}
