// Where other edges of the site come in: a TCP listener that gives nothing to whoever has not proven that it knows the secret.
// Proven connections are handed to the HTTP server.

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { backlog, type SharedSocket } from '../http/intake.js';
import { type Logger, seldom } from '../log.js';
import type { ProofOutcome } from '../metrics.js';
import { parseListenAddress } from '../net-address.js';
import { demandProof, HandshakeError } from './handshake.js';

export interface EdgeListenerOptions {
  readonly secret: string;
  /** The id of this edge; undefined while it is not known, when nobody is let in. */
  readonly id: () => string | undefined;
  /** A proven connection. */
  readonly accept: (socket: Socket) => void;
  /** Proven connections at most; read for each. */
  readonly maxConnections: () => number;
  readonly outcome: (outcome: ProofOutcome) => void;
  readonly logger: Logger;
  /** Instead of 5 s, for tests. */
  readonly proofTimeoutMs?: number;
}

/** Connections that have not proven anything yet, at most: the oldest makes room. */
const maxUnproven = 128;
const proofTimeoutMs = 5_000;
const keepAliveInitialDelay = 60_000;

/** It listens after `listen`, until `drain` or `close`. */
export class EdgeListener {
  readonly #options: EdgeListenerOptions;
  readonly #server: Server;
  /** The oldest first. */
  readonly #unproven = new Set<Socket>();
  readonly #proven = new Set<Socket>();
  readonly #sayRefused: (fields: object) => void;

  constructor(options: EdgeListenerOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay });
    this.#server.on('connection', (socket: Socket) => this.#onConnection(socket));
    this.#sayRefused = seldom((fields: object) => options.logger.warn(fields, 'no edge of this fleet is let in'));
  }

  /** Rejects with the system's error when the address cannot be listened on. */
  async listen(where: string | SharedSocket): Promise<AddressInfo> {
    const place = typeof where === 'string' ? parseListenAddress(where) : where;
    if (place === undefined) throw new TypeError(`not an address to listen on: ${String(where)}`);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.once('listening', () => {
        this.#server.off('error', reject);
        resolve();
      });
      if (typeof where === 'string') this.#server.listen({ ...place, backlog });
      else this.#server.listen(where, backlog);
    });
    return this.#server.address() as AddressInfo;
  }

  /** Lets nobody in any more; ends the connections after `graceMs`, or when the callers have left. */
  async drain(graceMs: number): Promise<void> {
    this.#server.close();
    for (const socket of this.#unproven) socket.destroy();
    const enough = new AbortController();
    const gone = [...this.#proven].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    await Promise.race([
      Promise.all(gone).then(() => enough.abort()),
      sleep(graceMs, undefined, { signal: enough.signal }).catch(() => undefined),
    ]);
    this.close();
  }

  /** Ends every connection at once. */
  close(): void {
    this.#server.close();
    for (const socket of [...this.#unproven, ...this.#proven]) socket.destroy();
  }

  #onConnection(socket: Socket): void {
    // A caller that resets its connection is no error of ours.
    socket.on('error', () => socket.destroy());
    const { secret, maxConnections, outcome } = this.#options;
    const id = this.#options.id();
    if (id === undefined || this.#proven.size >= maxConnections()) {
      outcome('full');
      socket.destroy();
      return;
    }
    const [oldest] = this.#unproven;
    if (this.#unproven.size >= maxUnproven && oldest !== undefined) oldest.destroy();
    this.#unproven.add(socket);
    socket.once('close', () => this.#unproven.delete(socket));
    demandProof(socket, secret, id, this.#options.proofTimeoutMs ?? proofTimeoutMs).then(
      () => this.#take(socket),
      (error: Error) => this.#refuse(socket, error),
    );
  }

  #take(socket: Socket): void {
    this.#unproven.delete(socket);
    if (socket.destroyed) return;
    this.#options.outcome('proven');
    this.#proven.add(socket);
    socket.once('close', () => this.#proven.delete(socket));
    this.#options.accept(socket);
  }

  #refuse(socket: Socket, error: Error): void {
    const outcome = error instanceof HandshakeError ? error.outcome : 'refused';
    this.#options.outcome(outcome);
    this.#sayRefused({ remote: socket.remoteAddress, reason: error.message });
    socket.destroy();
  }
}
