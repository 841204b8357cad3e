import winston from 'winston';
import { CLEAR_LINE } from './terminal.js';
import type { Notice } from '../model/notice.js';
import { neutralise } from '../sinks/console/pretty.js';

/** Where the service says what happens: JSON lines, or readable lines for a terminal. Always on stderr. */
export interface ServiceLog {
  notice(notice: Notice, pipeline?: string): void;
}

const { combine, timestamp, printf, colorize, json } = winston.format;

const plain = winston.format((info) => info)();

const readable = printf(({ level, message, timestamp: time, pipeline, code, ...details }) => {
  const { levels: _, ...rest } = details;
  const extra = Object.entries(rest)
    .filter(([key]) => typeof key === 'string')
    .map(([key, value]) => ` ${key}=${String(value)}`)
    .join('');
  const place = typeof pipeline === 'string' ? ` [${pipeline}]` : '';
  const suffix = typeof code === 'string' ? ` (${code})` : '';
  return `${CLEAR_LINE}${String(time)} ${level}${place} ${neutralise(String(message))}${suffix}${neutralise(extra)}`;
});

export interface LogStyle {
  /** People read along: nothing in a message can act on their terminal. */
  readonly isTerminal: boolean;
  readonly colours: boolean;
}

export function serviceLog(stream: NodeJS.WritableStream, { isTerminal, colours }: LogStyle): ServiceLog {
  const logger = winston.createLogger({
    level: 'info',
    format: isTerminal
      ? combine(timestamp({ format: 'HH:mm:ss' }), colours ? colorize() : plain, readable)
      : combine(timestamp(), json()),
    transports: [new winston.transports.Stream({ stream })],
  });
  return {
    notice: ({ level, message, code, details }, pipeline) => {
      logger.log({
        level,
        message,
        ...(pipeline === undefined ? {} : { pipeline }),
        ...(code === undefined ? {} : { code }),
        ...details,
      });
    },
  };
}
