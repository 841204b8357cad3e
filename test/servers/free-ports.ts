import { createServer } from 'node:net';

/** Below the ports that systems give to outgoing connections: a server that is restarted finds its port free. */
const LOWEST = 15_000;
const COUNT = 15_000;

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

/** Ports of 127.0.0.1 that nobody listens on, chosen at random, so that two runs side by side do not meet. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = LOWEST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}
