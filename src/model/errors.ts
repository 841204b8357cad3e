/** Every error that leaves millrace has a code from this catalogue. `transient`: trying again later may succeed. */
const CATALOGUE = {
  MILLRACE_E_PARSE_FIELDS: { transient: false, says: 'the line has fewer fields than named' },
  MILLRACE_E_PARSE_JSON: { transient: false, says: 'the line is not a JSON object' },
  MILLRACE_E_PARSE_LOGFMT: { transient: false, says: 'the line is not logfmt' },
  MILLRACE_E_PARSE_PATTERN: { transient: false, says: 'the line does not match the pattern' },
  MILLRACE_E_PARSE_TOO_LONG: { transient: false, says: 'the line is longer than a pattern may be tried on' },
  MILLRACE_E_PARSE_PATTERN_GROUPS: { transient: false, says: 'the pattern has no named group' },
  MILLRACE_E_LINE_TOO_LONG: { transient: false, says: 'the line is longer than maxLineBytes' },
  MILLRACE_E_STAGE_THREW: { transient: false, says: 'a stage threw an error' },
  MILLRACE_E_STAGE_FOREIGN_EVENT: { transient: false, says: 'a stage emitted an event that did not come in' },
  MILLRACE_E_FLOW_DEAD_LETTER_RATIO: { transient: false, says: 'too many records became dead letters' },
  MILLRACE_E_FLOW_DRAIN_INCOMPLETE: { transient: false, says: 'not everything could be settled before the deadline' },
  MILLRACE_E_FLOW_MIRROR_LOST: { transient: false, says: 'a mirror did not get some events' },
  MILLRACE_E_FLOW_TOPOLOGY: { transient: false, says: 'the topology cannot work' },
  MILLRACE_E_FLOW_START_DEADLINE: { transient: false, says: 'a source or sink could not be reached in time' },
  MILLRACE_E_RETRY_EXHAUSTED: { transient: false, says: 'every try failed' },
  MILLRACE_E_RETRY_ABORTED: { transient: false, says: 'trying again was called off' },
  MILLRACE_E_OPERATOR_OPTION: { transient: false, says: 'an operator cannot work with this option' },
  MILLRACE_E_OPERATOR_OVERFLOW: { transient: false, says: 'more is waiting than may wait' },
  MILLRACE_E_OPERATOR_DEMAND: { transient: false, says: 'the demand is not a whole number of values' },
  MILLRACE_E_OPERATOR_RATE: { transient: false, says: 'more arrived than the rate allows' },
  MILLRACE_E_OPERATOR_TIMEOUT: { transient: true, says: 'it took too long' },
  MILLRACE_E_CIRCUIT_OPEN: { transient: true, says: 'the circuit is open: too many calls failed' },
  MILLRACE_E_FILE_NOT_FOUND: { transient: true, says: 'the file or folder does not exist' },
  MILLRACE_E_FILE_PERMISSION: { transient: true, says: 'the file may not be opened' },
  MILLRACE_E_FILE_NO_SPACE: { transient: true, says: 'the disk is full or the quota is used up' },
  MILLRACE_E_FILE_READ_ONLY: { transient: true, says: 'the file system is read-only' },
  MILLRACE_E_FILE_EXISTS: { transient: true, says: 'a file of that name is already there' },
  MILLRACE_E_FILE_IS_DIRECTORY: { transient: true, says: 'the path is a folder' },
  MILLRACE_E_FILE_NOT_FOLDER: { transient: true, says: 'a file is where a folder should be' },
  MILLRACE_E_FILE_TOO_MANY_OPEN: { transient: true, says: 'too many files are open' },
  MILLRACE_E_FILE_IO: { transient: true, says: 'the operating system could not read or write' },
  MILLRACE_E_TAIL_LOST: { transient: false, says: 'bytes were removed from a file before they could be read' },
  MILLRACE_E_KAFKA_UNREACHABLE: { transient: true, says: 'no Kafka broker could be reached' },
  MILLRACE_E_KAFKA_AUTH: { transient: true, says: 'Kafka does not let us in' },
  MILLRACE_E_KAFKA_TOPIC: { transient: true, says: 'the Kafka topic does not exist' },
  MILLRACE_E_KAFKA_TOPICS_CHANGED: { transient: true, says: 'other Kafka topics match now' },
  MILLRACE_E_KAFKA_PRODUCE: { transient: true, says: 'Kafka did not take the messages' },
  MILLRACE_E_KAFKA_CONSUME: { transient: true, says: 'reading from Kafka was interrupted' },
  MILLRACE_E_KAFKA_SILENT: { transient: true, says: 'Kafka has not answered a fetch' },
  MILLRACE_E_KAFKA_FENCED: { transient: false, says: 'another process has taken over the transactional id' },
  MILLRACE_E_KAFKA_TRANSACTION: { transient: false, says: 'a Kafka transaction has failed' },
  MILLRACE_E_KAFKA_GENERATION: { transient: false, says: 'the consumer group has been divided anew' },
  MILLRACE_E_KAFKA_LOST: { transient: false, says: 'messages were removed from a topic before they could be read' },
  MILLRACE_E_KAFKA_TOO_LARGE: { transient: false, says: 'the message is larger than Kafka takes' },
  MILLRACE_E_KAFKA_CLIENT: { transient: false, says: 'this Kafka client cannot be used' },
  MILLRACE_E_KAFKA_CODEC: { transient: false, says: 'the compression is not known here' },
  MILLRACE_E_KAFKA_SCHEMA: { transient: false, says: 'there is no schema that fits' },
  MILLRACE_E_KAFKA_REGISTRY: { transient: true, says: 'the schema registry does not answer' },
  MILLRACE_E_ELASTICSEARCH_UNREACHABLE: { transient: true, says: 'Elasticsearch does not answer' },
  MILLRACE_E_ELASTICSEARCH_BUSY: { transient: true, says: 'Elasticsearch does not take more now' },
  MILLRACE_E_ELASTICSEARCH_DENIED: { transient: true, says: 'Elasticsearch refuses these credentials' },
  MILLRACE_E_ELASTICSEARCH_NO_INDEX: { transient: true, says: 'the index is not there and may not be made' },
  MILLRACE_E_ELASTICSEARCH_TOO_LARGE: { transient: false, says: 'the event is larger than Elasticsearch takes' },
  MILLRACE_E_ELASTICSEARCH_REFUSED: { transient: false, says: 'Elasticsearch will not take the event' },
  MILLRACE_E_ARCHIVE_DAMAGED: { transient: false, says: 'the archive is damaged or incomplete' },
  MILLRACE_E_ARCHIVE_UNSUPPORTED: { transient: false, says: 'this version of Node cannot unpack the archive' },
  MILLRACE_E_CHECKPOINT_UNREADABLE: { transient: false, says: 'the checkpoint is damaged' },
  MILLRACE_E_CHECKPOINT_VERSION: { transient: false, says: 'the checkpoint was written by another version' },
  MILLRACE_E_CHECKPOINT_LOCKED: { transient: false, says: 'another process uses the checkpoint' },
  MILLRACE_E_STATE_UNFIT: { transient: false, says: 'the saved state belongs to other settings' },
  MILLRACE_E_STORE_LOCKED: { transient: true, says: 'another process uses the store' },
  MILLRACE_E_STORE_DAMAGED: { transient: false, says: 'the store is damaged' },
  MILLRACE_E_STORE_VERSION: { transient: false, says: 'the store was written by another version' },
  MILLRACE_E_STORE_MEMORY: { transient: true, says: 'the store needs more memory than it may use' },
  MILLRACE_E_STORE_TOO_LARGE: { transient: false, says: 'the event is larger than the store takes' },
  MILLRACE_E_STORE_BROKEN: { transient: true, says: 'the store has to be opened anew' },
  MILLRACE_E_STORE_PACKAGE: { transient: false, says: 'the optional package @duckdb/node-api is not installed' },
  MILLRACE_E_SEARCH_NO_STORE: { transient: false, says: 'there is no store' },
  MILLRACE_E_SEARCH_SERVICE: { transient: true, says: 'the service that has the store open does not answer' },
  MILLRACE_E_SEARCH_QUERY: { transient: false, says: 'the query cannot be answered' },
  MILLRACE_E_SEARCH_LIMIT: { transient: false, says: 'the answer is longer than a service gives' },
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
