import { drawFor } from './chance.js';
import type { Draw } from './chance.js';
import { BLOCK_RECORDS, outage, rush, slowness, stretchAt } from './stretches.js';
import type { Stretch } from './stretches.js';
import { database, saying } from './talk.js';
import type { GeneratedLevel } from './talk.js';

/** What one record tells, before it is written in a format. */
export interface Happening {
  readonly level: GeneratedLevel;
  readonly service: string;
  readonly message: string;
  readonly durationMs: number;
  readonly draw: Draw;
  /** The index lies in a traffic spike. */
  readonly crowded: boolean;
}

type Told = Pick<Happening, 'level' | 'service' | 'message'>;

/** What happens at `index`: one service says something; an outage or an anomaly changes what. */
export function happeningAt(seed: number, index: number, anomaly: boolean): Happening {
  const draw = drawFor(seed, index);
  const block = Math.floor(index / BLOCK_RECORDS);
  const failing = stretchAt(outage, seed, block);
  const slow = anomaly && stretchAt(slowness, seed, block) !== undefined;
  const crowded = anomaly && stretchAt(rush, seed, block) !== undefined;
  const told =
    index % BLOCK_RECORDS === 0 ? headline(draw, failing, crowded) : failing ? trouble(draw, failing) : everyday(draw);
  const { level, service, message } = told;
  return { level, service, message, durationMs: duration(draw) * (slow ? 20 : 1), draw, crowded };
}

/** Mostly 20 to 99 ms; one in fifty takes up to five times as long. */
function duration(draw: Draw): number {
  const usual = 20 + draw(11, 80);
  return draw(12, 50) === 0 ? usual * (2 + draw(13, 4)) : usual;
}

function everyday(draw: Draw): Told {
  const level = everydayLevel(draw(1, 10_000));
  const { service, text } = saying(level, draw);
  return { level, service, message: text(draw) };
}

/** 82 % INFO, 12 % DEBUG, 5 % WARN, 1 % ERROR, 2 in 10 000 FATAL. */
function everydayLevel(lot: number): GeneratedLevel {
  if (lot < 8_200) return 'INFO';
  if (lot < 9_400) return 'DEBUG';
  if (lot < 9_900) return 'WARN';
  return lot < 9_998 ? 'ERROR' : 'FATAL';
}

type Phase = 'slow' | 'timeouts' | 'open' | 'recovering';

/** An outage of n blocks: one slow, half of the rest with timeouts, then an open circuit, the last one recovering. */
function phaseOf({ place, blocks }: Stretch): Phase {
  if (place === 0) return 'slow';
  if (place === blocks - 1) return 'recovering';
  return place < openingPlace(blocks) ? 'timeouts' : 'open';
}

function openingPlace(blocks: number): number {
  return Math.floor(blocks / 2);
}

/** A record in an outage: six in ten are about it, the others go on as always. */
function trouble(draw: Draw, stretch: Stretch): Told {
  if (draw(2, 10) >= 6) return everyday(draw);
  const name = database(stretch.number);
  const service = draw(3, 2) === 0 ? 'payment' : 'checkout';
  switch (phaseOf(stretch)) {
    case 'slow':
      return { level: 'WARN', service, message: `waited ${500 + draw(4, 2500)} ms for a connection to ${name}` };
    case 'timeouts':
      return { level: 'ERROR', service, message: `database timeout: ${name} did not answer within 5000 ms` };
    case 'open':
      return { level: 'ERROR', service, message: `request refused: circuit ${name} is open` };
    case 'recovering':
      return { level: 'INFO', service, message: `probe of ${name} succeeded, circuit half open` };
  }
}

/** The first record of a block: the turns of an outage's story, otherwise the gateway's traffic figures. */
function headline(draw: Draw, stretch: Stretch | undefined, crowded: boolean): Told {
  const turn = stretch && turnOf(stretch);
  if (turn) return { service: 'payment', ...turn };
  const requests = (800 + draw(5, 400)) * (crowded ? 20 : 1);
  return {
    level: 'INFO',
    service: 'gateway',
    message: `traffic requestsPerMinute=${requests} clients=${40 + draw(6, 60)}`,
  };
}

function turnOf({ place, blocks, number }: Stretch): Omit<Told, 'service'> | undefined {
  const name = database(number);
  if (place === 0) return { level: 'WARN', message: `connection pool of ${name} exhausted, requests are waiting` };
  if (place === 1) return { level: 'ERROR', message: `database timeout: first of many, ${name} does not answer` };
  if (place === openingPlace(blocks)) {
    return { level: 'ERROR', message: `circuit ${name} CLOSED -> OPEN after 20 failures in a row` };
  }
  if (place === blocks - 1) return { level: 'INFO', message: `circuit ${name} OPEN -> CLOSED, recovered` };
  return undefined;
}
