import { messageOf } from '../model/errors.js';

/** What a command may use of the process. */
export interface CommandIo {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** Aborted when the command is to end: on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

/** What `parseArgs` says, without its advice about names that begin with a dash. */
export function argumentFault(error: unknown): string {
  return messageOf(error).replace(/\. To specify a positional argument.*$/s, '');
}

/** A fault of the command line, to be told together with the usage. */
export class UsageFault extends Error {}
