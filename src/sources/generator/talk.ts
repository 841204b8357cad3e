import type { Draw } from './chance.js';

export type GeneratedLevel = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL';

/** A thing a service says. */
export interface Saying {
  readonly service: string;
  readonly text: (draw: Draw) => string;
}

const CUSTOMERS = [
  'anna.schmidt',
  'jürgen.groß',
  'zoë.martin',
  'li.wei',
  'o.björk',
  'maria.lopez',
  'sam.o-neil',
  'priya.n',
];
const ITEMS = ['lamp', 'teapot', 'desk', 'rug', 'mirror', 'bookshelf', 'kettle', 'armchair'];
const CARDS = ['visa', 'mastercard', 'amex', 'maestro'];
const DATABASES = ['orders-db', 'payment-db', 'stock-db', 'users-db'];
const CODES = ['card_declined', 'insufficient_funds', 'expired_card', 'issuer_unavailable'];

function oneOf(from: readonly string[], number: number): string {
  return from[number % from.length] ?? '';
}

const customer = (draw: Draw): string => oneOf(CUSTOMERS, draw(31, 1000));
const item = (draw: Draw): string => oneOf(ITEMS, draw(32, 1000));
const order = (draw: Draw): number => 100_000 + draw(33, 900_000);
const amount = (draw: Draw): string => `${5 + draw(34, 400)}.${String(draw(35, 100)).padStart(2, '0')}`;

const SAYINGS: Readonly<Record<GeneratedLevel, readonly Saying[]>> = {
  DEBUG: [
    { service: 'auth', text: (d) => `session cache hit user=${customer(d)}` },
    { service: 'inventory', text: (d) => `stock of ${item(d)} read from cache age=${d(41, 90)}s` },
    { service: 'checkout', text: (d) => `price rules evaluated rules=${3 + d(41, 20)} order=${order(d)}` },
    { service: 'gateway', text: () => 'health check ok' },
  ],
  INFO: [
    { service: 'checkout', text: (d) => `order ${order(d)} placed items=${1 + d(41, 6)} total=${amount(d)} EUR` },
    { service: 'checkout', text: (d) => `cart of ${customer(d)} updated item=${item(d)} quantity=${1 + d(41, 4)}` },
    {
      service: 'payment',
      text: (d) => `charge authorised order=${order(d)} card=${oneOf(CARDS, d(41, 100))} amount=${amount(d)}`,
    },
    { service: 'inventory', text: (d) => `reserved ${1 + d(41, 4)} x ${item(d)} order=${order(d)}` },
    { service: 'auth', text: (d) => `login of ${customer(d)} succeeded from 203.0.113.${1 + d(41, 250)}` },
    { service: 'shipping', text: (d) => `label printed order=${order(d)} carrier=${d(41, 2) === 0 ? 'dhl' : 'ups'}` },
    { service: 'search', text: (d) => `query "${item(d)}" found ${d(41, 300)} products` },
    { service: 'gateway', text: (d) => `POST /api/orders/${order(d)} 200` },
  ],
  WARN: [
    { service: 'payment', text: (d) => `charge refused order=${order(d)} code=${oneOf(CODES, d(41, 100))}` },
    { service: 'inventory', text: (d) => `stock of ${item(d)} low left=${d(41, 5)}` },
    { service: 'auth', text: (d) => `login of ${customer(d)} failed attempts=${2 + d(41, 5)}` },
    { service: 'checkout', text: (d) => `retrying call to payment attempt=${1 + d(41, 3)} order=${order(d)}` },
    { service: 'search', text: (d) => `slow query "${item(d)}" shards=${1 + d(41, 5)}` },
  ],
  ERROR: [
    { service: 'payment', text: (d) => `charge failed order=${order(d)} code=gateway_error` },
    { service: 'shipping', text: (d) => `carrier answered 503 order=${order(d)}` },
    {
      service: 'inventory',
      text: (d) => `reservation of ${item(d)} could not be saved order=${order(d)}: deadlock detected`,
    },
    { service: 'auth', text: (d) => `token of ${customer(d)} could not be verified: key not found` },
  ],
  FATAL: [
    { service: 'search', text: () => 'out of memory, node leaves the cluster' },
    { service: 'payment', text: () => 'signing key unreadable, service stops' },
  ],
};

const EXCEPTIONS = [
  'java.lang.NullPointerException: order is null',
  'java.sql.SQLTransientConnectionException: connection is not available, request timed out after 5000 ms',
  'java.net.SocketTimeoutException: Read timed out',
  'com.shop.StockConflictException: version 7 expected, 8 found',
];

const FRAMES = [
  'com.shop.Payment.charge(Payment.java:42)',
  'com.shop.Payment.retry(Payment.java:118)',
  'com.shop.Checkout.placeOrder(Checkout.java:87)',
  'com.shop.Inventory.reserve(Inventory.java:203)',
  'com.shop.db.ConnectionPool.acquire(ConnectionPool.java:61)',
  'com.shop.http.Router.dispatch(Router.java:154)',
  'java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1136)',
  'java.base/java.lang.Thread.run(Thread.java:840)',
];

/** Something a service would say at this level. */
export function saying(level: GeneratedLevel, draw: Draw): Saying {
  const all = SAYINGS[level];
  const one = all[draw(30, all.length)];
  if (one === undefined) throw new RangeError('a draw is below its limit');
  return one;
}

/** The first line of a stack trace: which exception. */
export function exception(draw: Draw): string {
  return oneOf(EXCEPTIONS, draw(51, 1000));
}

/** A line of a stack trace, as Java prints it. */
export function frame(draw: Draw): string {
  return `    at ${oneOf(FRAMES, draw(52, 1000))}`;
}

/** The database that the n-th outage is about. */
export function database(number: number): string {
  return oneOf(DATABASES, number);
}
