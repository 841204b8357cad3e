import { connect, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';

/** What kafkajs asks a connection with. */
interface Wanted {
  readonly host: string;
  readonly port: number;
  readonly ssl: ConnectionOptions | null | undefined;
  readonly onConnect: () => void;
}

const KEEP_ALIVE_MS = 60_000;
const LOOKS_PER_LIMIT = 4;

/**
 * Connections that are cut when something was sent and nothing at all has come back for `maxSilenceMs`. kafkajs gives up
 * the request then, but goes on with the connection: on one that a network has lost it would try for minutes, and whoever
 * opened another producer instead would write messages twice.
 */
export function answeredSockets(maxSilenceMs: number): (wanted: Wanted) => Socket {
  return ({ host, port, ssl, onConnect }) => {
    const socket =
      // kafkajs says null where it has none.
      ssl === null || ssl === undefined
        ? connect({ host, port }, onConnect)
        : connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    cutWhenSilent(socket, maxSilenceMs);
    return socket;
  };
}

function cutWhenSilent(socket: Socket, maxSilenceMs: number): void {
  /** What was sent when something came last, and since when more than that is waiting for an answer. */
  let sentWhenHeard = 0;
  let waitingSince: number | undefined;
  // Before kafkajs hears of it: it may send the next request at once.
  socket.on('data', () => {
    sentWhenHeard = socket.bytesWritten;
    waitingSince = undefined;
  });
  const looking = setInterval(() => {
    if (socket.bytesWritten <= sentWhenHeard) return;
    const now = performance.now();
    waitingSince ??= now;
    if (now - waitingSince >= maxSilenceMs) socket.destroy(new Error(`no answer for ${maxSilenceMs} ms`));
  }, maxSilenceMs / LOOKS_PER_LIMIT);
  looking.unref();
  socket.once('close', () => clearInterval(looking));
}
