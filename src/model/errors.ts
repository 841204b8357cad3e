/** Every error that leaves millrace has a code from this catalogue. `transient`: trying again later may succeed. */
const CATALOGUE = {
  MILLRACE_E_PARSE_FIELDS: { transient: false, says: 'the line has fewer fields than named' },
  MILLRACE_E_PARSE_JSON: { transient: false, says: 'the line is not a JSON object' },
  MILLRACE_E_PARSE_PATTERN: { transient: false, says: 'the line does not match the pattern' },
  MILLRACE_E_PARSE_TOO_LONG: { transient: false, says: 'the line is longer than a pattern may be tried on' },
  MILLRACE_E_PARSE_PATTERN_GROUPS: { transient: false, says: 'the pattern has no named group' },
  MILLRACE_E_LINE_TOO_LONG: { transient: false, says: 'the line is longer than maxLineBytes' },
  MILLRACE_E_STAGE_THREW: { transient: false, says: 'a stage threw an error' },
  MILLRACE_E_STAGE_FOREIGN_EVENT: { transient: false, says: 'a stage emitted an event that did not come in' },
  MILLRACE_E_FLOW_DEAD_LETTER_RATIO: { transient: false, says: 'too many records became dead letters' },
  MILLRACE_E_FLOW_DRAIN_INCOMPLETE: { transient: false, says: 'not everything could be settled before the deadline' },
  MILLRACE_E_FLOW_START_DEADLINE: { transient: false, says: 'a source or sink could not be reached in time' },
  MILLRACE_E_RETRY_EXHAUSTED: { transient: false, says: 'every try failed' },
  MILLRACE_E_FILE_NOT_FOUND: { transient: true, says: 'the file or folder does not exist' },
  MILLRACE_E_FILE_PERMISSION: { transient: true, says: 'the file may not be opened' },
  MILLRACE_E_FILE_NO_SPACE: { transient: true, says: 'the disk is full or the quota is used up' },
  MILLRACE_E_FILE_READ_ONLY: { transient: true, says: 'the file system is read-only' },
  MILLRACE_E_FILE_IS_DIRECTORY: { transient: true, says: 'the path is a folder' },
  MILLRACE_E_FILE_NOT_FOLDER: { transient: true, says: 'a file is where a folder should be' },
  MILLRACE_E_FILE_TOO_MANY_OPEN: { transient: true, says: 'too many files are open' },
  MILLRACE_E_FILE_IO: { transient: true, says: 'the operating system could not read or write' },
  MILLRACE_E_TAIL_LOST: { transient: false, says: 'bytes were removed from a file before they could be read' },
  MILLRACE_E_ARCHIVE_DAMAGED: { transient: false, says: 'the archive is damaged or incomplete' },
  MILLRACE_E_ARCHIVE_UNSUPPORTED: { transient: false, says: 'this version of Node cannot unpack the archive' },
  MILLRACE_E_CHECKPOINT_UNREADABLE: { transient: false, says: 'the checkpoint is damaged' },
  MILLRACE_E_CHECKPOINT_VERSION: { transient: false, says: 'the checkpoint was written by another version' },
  MILLRACE_E_CHECKPOINT_LOCKED: { transient: false, says: 'another process uses the checkpoint' },
  MILLRACE_E_CONFIG_INVALID: { transient: false, says: 'the configuration has faults' },
} as const;

/** The code of an error: `MILLRACE_E_<AREA>_<WHAT>`. */
export type ErrorCode = keyof typeof CATALOGUE;

/** An error with a code. `cause` holds what led to it; `transient` says whether trying again may help. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  readonly code: ErrorCode;
  readonly transient: boolean;

  constructor(code: ErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail === undefined ? CATALOGUE[code].says : `${CATALOGUE[code].says}: ${detail}`, options);
    this.code = code;
    this.transient = CATALOGUE[code].transient;
  }

  /** An error about a record: there may be many, and where in the code it was found says nothing, so it has no stack. */
  static ofRecord(code: ErrorCode, detail?: string): MillraceError {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      return new MillraceError(code, detail);
    } finally {
      Error.stackTraceLimit = limit;
    }
  }
}

/** True for an error that says of itself that trying again later may succeed. */
export function isTransient(error: unknown): boolean {
  return error instanceof MillraceError && error.transient;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
