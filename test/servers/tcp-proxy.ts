import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** What the network does to connections, those that are there and those that come. */
export type NetworkFault =
  | { readonly kind: 'none' }
  /** Connections are taken, and nothing is passed on in either direction, without any sign of it; on these, for ever. */
  | { readonly kind: 'swallow' }
  /** Every piece arrives later. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Connections are cut as soon as they come. */
  | { readonly kind: 'refuse' };

/** One direction of a connection: what comes later never overtakes. */
class Late {
  readonly #to: Socket;
  /** Something of it was swallowed: what comes later would make no sense. */
  isDead = false;
  #before: Promise<void> | undefined;

  constructor(to: Socket) {
    this.#to = to;
  }

  write(piece: Buffer, ms: number, written?: () => void): void {
    if (ms === 0 && this.#before === undefined) {
      this.#to.write(piece, written);
      return;
    }
    const mine = Promise.all([this.#before, wait(ms)]).then(() => {
      this.#to.write(piece, written);
      if (this.#before === mine) this.#before = undefined;
    });
    this.#before = mine;
  }
}

/** A network between a client and one server, that can go wrong. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Where connections go. It may be known only after the proxy's own address is. */
  target = '';
  fault: NetworkFault = { kind: 'none' };
  /** Connections that came. */
  connections = 0;
  /** Pieces that were swallowed, and connections that were cut. */
  faults = 0;
  #cutAfterBytes = Infinity;

  private constructor() {
    this.#server = createServer((client) => this.#between(client));
  }

  static async start(): Promise<TcpProxy> {
    const proxy = new TcpProxy();
    await new Promise<void>((done) => proxy.#server.listen(0, '127.0.0.1', done));
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Cuts every connection in the middle of the next request that is larger than `bytes`, once. */
  cutInRequest(bytes: number): void {
    this.#cutAfterBytes = bytes;
  }

  /** Cuts every connection now. */
  cut(): void {
    this.faults += this.#sockets.size;
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((done) => this.#server.close(done));
  }

  #between(client: Socket): void {
    this.connections++;
    if (this.fault.kind === 'refuse') {
      this.faults++;
      client.destroy();
      return;
    }
    const [host = '', port = ''] = this.target.split(':');
    const server = connect(Number(port), host);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      const late = new Late(to);
      from.on('data', (piece: Buffer) => this.#pass(piece, late, from === client));
      from.once('error', () => undefined);
      from.once('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }

  #pass(piece: Buffer, to: Late, isRequest: boolean): void {
    const { fault } = this;
    if (isRequest && piece.length > this.#cutAfterBytes) {
      const half = piece.subarray(0, this.#cutAfterBytes);
      this.#cutAfterBytes = Infinity;
      to.write(half, 0, () => this.cut());
      return;
    }
    if (fault.kind === 'swallow' || to.isDead) {
      to.isDead = true;
      this.faults++;
      return;
    }
    to.write(piece, fault.kind === 'delay' ? fault.ms : 0);
  }
}
