/** A way in which many programs write a log line. */
export interface KnownFormat {
  readonly name: string;
  /** For the stage `parse`, format regex. Anchored, and without a repetition inside a repetition: time grows with the line. */
  readonly pattern: string;
  /** For the stage `normalize`, where the time is not ISO 8601. */
  readonly timeFormats?: readonly string[];
}

/** What the names of groups, which cannot have dots, are called in the Elastic Common Schema. */
export const ECS_NAMES: Readonly<Record<string, string>> = {
  agent: 'user_agent.original',
  app: 'service.name',
  bytes: 'http.response.body.bytes',
  client: 'source.address',
  code: 'log.syslog.msgid',
  data: 'log.syslog.structured_data',
  file: 'log.origin.file.name',
  host: 'host.name',
  line: 'log.origin.file.line',
  logger: 'log.logger',
  method: 'http.request.method',
  pid: 'process.pid',
  priority: 'log.syslog.priority',
  referrer: 'http.request.referrer',
  request: 'http.request.id',
  status: 'http.response.status_code',
  thread: 'process.thread.name',
  tid: 'process.thread.id',
  url: 'url.original',
  user: 'user.name',
  version: 'http.version',
};

const ISO = String.raw`(?<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)`;
const LEVEL = '(?<level>[A-Za-z]{1,13})';
const LOGGER = String.raw`(?<logger>[^\s:]+)`;
// Any character, line breaks too: a joined stack trace belongs to its message.
const MESSAGE = '(?<message>[^]*)$';

/** From the most to the least particular: where two fit equally well, the first is chosen. */
export const KNOWN_FORMATS: readonly KnownFormat[] = [
  {
    name: 'web access log (combined or common)',
    pattern: String.raw`^(?<client>\S+) \S+ (?<user>\S+) \[(?<time>[^\]]+)\] "(?<message>(?<method>[A-Z]+) (?<url>\S+)(?: HTTP/(?<version>[\d.]+))?)" (?<status>\d{3}) (?<bytes>\d+|-)(?: "(?<referrer>[^"]*)" "(?<agent>[^"]*)")?`,
    timeFormats: ['dd/MMM/yyyy:HH:mm:ss ZZZ'],
  },
  {
    name: 'Apache error log',
    pattern: String.raw`^\[(?<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4})\] \[(?:\w+:)?${LEVEL}\d?\] (?:\[pid (?<pid>\d+)(?::tid (?<tid>\d+))?\] )?${MESSAGE}`,
    timeFormats: ['EEE MMM dd HH:mm:ss yyyy', 'EEE MMM dd HH:mm:ss.u yyyy'],
  },
  {
    name: 'nginx error log',
    pattern: String.raw`^(?<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[${LEVEL}\] (?<pid>\d+)#(?<tid>\d+): ${MESSAGE}`,
    timeFormats: ['yyyy/MM/dd HH:mm:ss'],
  },
  {
    name: 'syslog (RFC 5424)',
    pattern: String.raw`^<(?<priority>\d{1,3})>1 (?<time>\S+) (?<host>\S+) (?<app>\S+) (?<pid>\S+) (?<code>\S+) (?<data>-|\[.*?\])(?= |$) ?${MESSAGE}`,
  },
  {
    name: 'syslog (RFC 3164)',
    pattern: String.raw`^(?:<(?<priority>\d{1,3})>)?(?<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (?<host>\S+) (?<app>[^:[\]]{1,64})(?:\[(?<pid>\d+)\])?: ?${MESSAGE}`,
    timeFormats: ['MMM d HH:mm:ss', 'MMM  d HH:mm:ss'],
  },
  {
    name: 'HDFS',
    pattern: String.raw`^(?<time>\d{6} \d{6}) (?<pid>\d+) ${LEVEL} ${LOGGER}: ${MESSAGE}`,
    timeFormats: ['yyMMdd HHmmss'],
  },
  {
    name: 'Spark',
    pattern: String.raw`^(?<time>\d\d/\d\d/\d\d \d\d:\d\d:\d\d) ${LEVEL} ${LOGGER}: ${MESSAGE}`,
    timeFormats: ['yy/MM/dd HH:mm:ss'],
  },
  {
    name: 'glog',
    pattern: String.raw`^(?<level>[IWEF])(?<time>\d{4} \d\d:\d\d:\d\d\.\d+) +(?<tid>\d+) (?<file>[^\s:]+):(?<line>\d+)\] ${MESSAGE}`,
    timeFormats: ['MMdd HH:mm:ss.u'],
  },
  {
    name: 'OpenStack',
    pattern: String.raw`^(?:\S+ )?${ISO} (?<pid>\d+) ${LEVEL} (?<logger>[\w.]+) (?:\[(?<request>[^\s\]]*)[^\]]*\] )?${MESSAGE}`,
  },
  {
    name: 'Spring Boot',
    pattern: String.raw`^${ISO} +${LEVEL} (?<pid>\d+) --- (?:\[(?<app>[^\]]*)\] )?\[(?<thread>[^\]]*)\] (?<logger>\S+) *: ${MESSAGE}`,
  },
  {
    name: 'log4j: time - level [thread] - message',
    pattern: String.raw`^${ISO} - ${LEVEL} +\[(?<thread>.*?)\] - ${MESSAGE}`,
  },
  {
    name: 'log4j: time level [thread] logger message',
    pattern: String.raw`^${ISO} ${LEVEL} +\[(?<thread>.*?)\] ${LOGGER}(?::| -) ${MESSAGE}`,
  },
  {
    name: 'logback: time [thread] level logger - message',
    pattern: String.raw`^${ISO} \[(?<thread>.*?)\] ${LEVEL} +(?<logger>\S+) - ${MESSAGE}`,
  },
  {
    name: 'Python logging: time - logger - level - message',
    pattern: String.raw`^${ISO} - (?<logger>\S+) - ${LEVEL} - ${MESSAGE}`,
  },
  {
    name: 'Python logging: level:logger:message',
    pattern: String.raw`^(?<level>[A-Z]{4,8}):(?<logger>[\w.]+):${MESSAGE}`,
  },
  {
    name: 'time level message',
    pattern: String.raw`^\[?${ISO}\]?:? +(?:- )?\[?${LEVEL}\]?:? +(?:- )?${MESSAGE}`,
  },
  {
    name: 'time level message (date with slashes)',
    pattern: String.raw`^\[?(?<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:[.,]\d+)?)\]?:? +\[?${LEVEL}\]?:? +(?:- )?${MESSAGE}`,
    timeFormats: ['yyyy/MM/dd HH:mm:ss', 'yyyy/MM/dd HH:mm:ss.u', 'yyyy/MM/dd HH:mm:ss,u'],
  },
  {
    name: 'level message',
    pattern: String.raw`^\[?${LEVEL}\]?:? +(?:- )?${MESSAGE}`,
  },
  {
    name: 'time message',
    pattern: String.raw`^\[?${ISO}\]?:? +(?:- )?${MESSAGE}`,
  },
  {
    name: 'time message (date with slashes)',
    pattern: String.raw`^\[?(?<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:[.,]\d+)?)\]?:? +${MESSAGE}`,
    timeFormats: ['yyyy/MM/dd HH:mm:ss', 'yyyy/MM/dd HH:mm:ss.u', 'yyyy/MM/dd HH:mm:ss,u'],
  },
];
