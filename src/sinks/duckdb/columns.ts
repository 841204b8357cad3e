/** How a column keeps its values. */
export type ColumnType = 'VARCHAR' | 'BIGINT' | 'SMALLINT' | 'DOUBLE' | 'BOOLEAN' | 'TIMESTAMP' | 'JSON';

/** Columns that every store has, in their order. */
export const OWN_COLUMNS: ReadonlyMap<string, ColumnType> = new Map<string, ColumnType>([
  ['event.id', 'VARCHAR'],
  ['@timestamp', 'TIMESTAMP'],
  ['log.level', 'VARCHAR'],
  ['event.severity', 'SMALLINT'],
  ['message', 'VARCHAR'],
  ['pipeline', 'VARCHAR'],
  ['route', 'VARCHAR'],
  ['ingested', 'TIMESTAMP'],
  ['fields', 'JSON'],
]);

const of = (type: ColumnType, ...names: string[]): (readonly [string, ColumnType])[] =>
  names.map((name) => [name, type]);

/** Fields of the Elastic Common Schema (8.17) that get a column when they are first met. */
const ECS: readonly (readonly [string, ColumnType])[] = [
  ...of('VARCHAR', 'log.file.path', 'log.logger', 'log.syslog.facility.name', 'log.syslog.severity.name'),
  ...of('VARCHAR', 'log.origin.file.name', 'log.origin.function', 'log.syslog.appname', 'log.syslog.procid'),
  ...of(
    'BIGINT',
    'log.origin.file.line',
    'log.syslog.facility.code',
    'log.syslog.severity.code',
    'log.syslog.priority',
  ),
  ...of('VARCHAR', 'host.name', 'host.hostname', 'host.id', 'host.ip', 'host.architecture', 'host.os.name'),
  ...of('VARCHAR', 'service.name', 'service.version', 'service.environment', 'service.node.name', 'service.type'),
  ...of('VARCHAR', 'http.request.method', 'http.request.id', 'http.request.referrer', 'http.version'),
  ...of('BIGINT', 'http.response.status_code', 'http.response.body.bytes', 'http.request.body.bytes'),
  ...of('BIGINT', 'http.response.bytes', 'http.request.bytes'),
  ...of('VARCHAR', 'url.full', 'url.original', 'url.path', 'url.query', 'url.domain', 'url.scheme'),
  ...of('BIGINT', 'url.port'),
  ...of('VARCHAR', 'source.ip', 'source.address', 'source.domain', 'destination.ip', 'destination.address'),
  ...of('VARCHAR', 'client.ip', 'client.address', 'server.ip', 'server.address', 'destination.domain'),
  ...of('BIGINT', 'source.port', 'source.bytes', 'destination.port', 'destination.bytes', 'client.port', 'server.port'),
  ...of('VARCHAR', 'network.protocol', 'network.transport', 'network.direction'),
  ...of('VARCHAR', 'process.name', 'process.executable', 'process.command_line', 'process.thread.name'),
  ...of('BIGINT', 'process.pid', 'process.thread.id', 'process.exit_code'),
  ...of('VARCHAR', 'user.name', 'user.id', 'user.email', 'user.domain', 'user_agent.original'),
  ...of('VARCHAR', 'error.code', 'error.id', 'error.message', 'error.type', 'error.stack_trace'),
  ...of('VARCHAR', 'trace.id', 'transaction.id', 'span.id', 'labels', 'ecs.version'),
  ...of('VARCHAR', 'event.action', 'event.category', 'event.code', 'event.dataset', 'event.kind', 'event.module'),
  ...of('VARCHAR', 'event.original', 'event.outcome', 'event.provider', 'event.reason', 'event.type'),
  ...of('BIGINT', 'event.duration', 'event.sequence'),
  ...of('DOUBLE', 'event.risk_score'),
  ...of('TIMESTAMP', 'event.created', 'event.ingested', 'event.start', 'event.end'),
  ...of('VARCHAR', 'container.id', 'container.name', 'container.image.name', 'orchestrator.namespace'),
  ...of('VARCHAR', 'cloud.provider', 'cloud.region', 'cloud.instance.id', 'agent.name', 'agent.id', 'agent.type'),
  ...of('VARCHAR', 'file.path', 'file.name', 'rule.name', 'rule.id', 'tls.version', 'tls.cipher'),
  ...of('BIGINT', 'file.size', 'network.bytes', 'network.packets'),
];

const DECLARED: ReadonlyMap<string, ColumnType> = new Map([...OWN_COLUMNS, ...ECS]);
/** What millrace says of a row itself. */
const NOT_FROM_EVENTS = ['event.id', 'pipeline', 'route', 'ingested', 'fields'];

/** The type of a field's own column; undefined for the many that live in the column `fields`. */
export function columnTypeOf(field: string): ColumnType | undefined {
  return NOT_FROM_EVENTS.includes(field) ? undefined : DECLARED.get(field);
}

const UTC =
  /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$/;
const DAYS_OF_ALL_MONTHS = '28';

function isDay(text: string): boolean {
  if (text.slice(8, 10) <= DAYS_OF_ALL_MONTHS) return true;
  const [year, month, day] = [Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8, 10))];
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31);
}

const INTEGER = /^(?:0|-?[1-9]\d{0,14})$/;

function integer(value: unknown): string | undefined {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : undefined;
  return typeof value === 'string' && INTEGER.test(value) ? value : undefined;
}

const FITS: Readonly<Record<ColumnType, (value: unknown) => string | undefined>> = {
  VARCHAR: (value) =>
    typeof value === 'string'
      ? value
      : typeof value === 'number' || typeof value === 'boolean'
        ? String(value)
        : undefined,
  BIGINT: integer,
  SMALLINT: (value) => {
    const text = integer(value);
    return text !== undefined && Math.abs(Number(text)) < 32_768 ? text : undefined;
  },
  DOUBLE: (value) => {
    const number = typeof value === 'string' && String(Number(value)) === value ? Number(value) : value;
    return typeof number === 'number' && Number.isFinite(number) ? String(number) : undefined;
  },
  BOOLEAN: (value) =>
    value === true || value === 'true' ? 'true' : value === false || value === 'false' ? 'false' : undefined,
  TIMESTAMP: (value) => (typeof value === 'string' && UTC.test(value) && isDay(value) ? value : undefined),
  JSON: () => undefined,
};

/** The value as the text that a column of this type is filled from; undefined when it does not fit. */
export function fitting(type: ColumnType): (value: unknown) => string | undefined {
  return FITS[type];
}
