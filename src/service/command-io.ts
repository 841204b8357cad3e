/** What a command may use of the process. */
export interface CommandIo {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** Aborted when the command is to end: on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

/** A fault of the command line, to be told together with the usage. */
export class UsageFault extends Error {}
