import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { answeredSockets } from '../../src/service/kafka/answered-sockets.js';

const LIMIT_MS = 200;

describe('a connection', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  /** A server that answers the first `answers` requests. */
  async function connected(answers: number): Promise<{ socket: Socket; end: () => string }> {
    let count = 0;
    const listening = createServer((other) => {
      other.on('error', () => undefined);
      other.on('data', () => {
        if (count++ < answers) other.write('answer');
      });
    });
    server = listening;
    await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done));
    const { port } = listening.address() as AddressInfo;
    let end = 'open';
    const socket = await new Promise<Socket>((done) => {
      const made = answeredSockets(LIMIT_MS)({
        host: '127.0.0.1',
        port,
        ssl: undefined,
        onConnect: () => done(made),
      });
    });
    socket.on('error', ({ message }) => (end = message));
    return { socket, end: () => end };
  }

  it('that nobody answers is cut, and says why', async () => {
    const { socket, end } = await connected(0);
    socket.write('request');
    await wait(LIMIT_MS * 2.5);
    expect([socket.destroyed, end()]).toEqual([true, 'no answer for 200 ms']);
  });

  it('is cut when the next request, sent as soon as the last was answered, is not', async () => {
    const { socket, end } = await connected(1);
    socket.once('data', () => socket.write('second request'));
    socket.write('request');
    await wait(LIMIT_MS * 2.5);
    expect(end()).toBe('no answer for 200 ms');
  });

  it('that is answered stays, and so does one that has nothing to ask', async () => {
    const { socket } = await connected(Infinity);
    for (let n = 0; n < 5; n++) {
      socket.write('request');
      await wait(LIMIT_MS / 2);
    }
    await wait(LIMIT_MS * 2.5);
    expect(socket.destroyed).toBe(false);
    socket.destroy();
  });
});
