// Carries the connections of the native ZooKeeper client, which knows no TLS, to servers that want it: one listener on
// loopback for each server, for this process only. The client goes on to the next server by itself: one that is away, or is not
// who it should be, is a connection that ends. Bytes wait in the sockets, and who sends faster than the other takes is paused.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server as Listener, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { OperatorError } from '../../errors.js';
import type { Server } from '../../net-address.js';
import { connectSecurely, type TlsSettings, tlsProblem } from './connection.js';
import { canTell, isOwnConnection } from './own-connection.js';

/** Milliseconds until the server is known to be who it should be. */
const handshakeDeadlineMs = 5_000;
/** Milliseconds that the last bytes of a session may take. */
const closeDeadlineMs = 1_000;
/** Connections at once to a listener: the client has one, perhaps another while that ends. */
const maxConnections = 4;

export interface TunnelOptions {
  /** Every server failed since one worked, in words. It may be told again. */
  readonly onAllFailed?: (why: string) => void;
  /** Whether a connection comes from this process. */
  readonly isOwn?: (accepted: Socket) => Promise<boolean>;
}

/** Carries connections of this process; several at once, one after another, for as long as a session lives. */
export class Tunnel {
  readonly #listeners: Listener[] = [];
  readonly #sockets = new Set<Duplex>();
  /** Why a server was not reached last. */
  readonly #problems = new Map<string, string>();
  #count = 0;
  readonly #settings: TlsSettings;
  readonly #onAllFailed: (why: string) => void;
  readonly #isOwn: (accepted: Socket) => Promise<boolean>;

  private constructor(settings: TlsSettings, { onAllFailed, isOwn }: TunnelOptions) {
    this.#settings = settings;
    this.#onAllFailed = onAllFailed ?? (() => {});
    this.#isOwn = isOwn ?? isOwnConnection;
  }

  /**
   * @param servers by name or address; names are resolved for each connection
   * @throws OperatorError where connections of other processes cannot be told from our own
   */
  static async open(servers: readonly Server[], settings: TlsSettings, options: TunnelOptions = {}): Promise<Tunnel> {
    if (!canTell && options.isOwn === undefined) {
      throw new OperatorError(
        'registry.zookeeper.tls needs Linux: elsewhere others on this machine could use the tunnel',
      );
    }
    const tunnel = new Tunnel(settings, options);
    for (const server of servers) await tunnel.#listen(server);
    return tunnel;
  }

  /** Where the client connects to, in the order of the servers: `127.0.0.1:PORT,…`. */
  get connect(): string {
    return this.#listeners.map((listener) => `127.0.0.1:${(listener.address() as AddressInfo).port}`).join(',');
  }

  /** Why servers were not reached, in words; empty while they are. */
  get problems(): string {
    return [...this.#problems].map(([name, why]) => `${name}: ${why}`).join(', ');
  }

  /** Lets what was sent arrive, and ends. */
  async close(): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    const ended = Promise.all([...this.#sockets].map((socket) => once(socket, 'close').catch(() => {})));
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, closeDeadlineMs);
    await ended;
    clearTimeout(timer);
  }

  async #listen(server: Server): Promise<void> {
    this.#count += 1;
    const listener = createServer({ pauseOnConnect: true, noDelay: true }, (local) => {
      this.#carry(local, server).catch((error: Error) => {
        local.destroy();
        this.#failed(server, error.message);
      });
    });
    listener.maxConnections = maxConnections;
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    this.#listeners.push(listener);
  }

  async #carry(local: Socket, server: Server): Promise<void> {
    this.#keep(local);
    if (!(await this.#isOwn(local))) {
      local.destroy();
      return;
    }
    if (local.destroyed) return;
    const remote = connectSecurely(server, this.#settings);
    this.#keep(remote);
    remote.setNoDelay(true);
    const timer = setTimeout(() => {
      remote.destroy(new Error(`no TLS handshake in ${handshakeDeadlineMs / 1000} s`));
    }, handshakeDeadlineMs);
    remote.once('secureConnect', () => {
      clearTimeout(timer);
      local.pipe(remote);
      remote.pipe(local);
    });
    // A certificate of ours that is refused is told after the handshake.
    remote.once('data', () => this.#problems.delete(nameOf(server)));
    remote.once('error', (error) => this.#failed(server, tlsProblem(error)));
    remote.once('close', () => {
      clearTimeout(timer);
      local.destroy();
    });
    // What the client sent before it left still arrives.
    local.once('close', () => {
      if (remote.connecting || !remote.authorized) remote.destroy();
      else remote.end();
      setTimeout(() => remote.destroy(), closeDeadlineMs).unref();
    });
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
  }

  #failed(server: Server, why: string): void {
    this.#problems.set(nameOf(server), why);
    if (this.#problems.size === this.#count) this.#onAllFailed(this.problems);
  }
}

function nameOf({ host, port }: Server): string {
  return `${host}:${port}`;
}
