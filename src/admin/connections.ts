// The connections to the admin listener. A new one is never refused for want of room: a health check has to be answered even
// when registrars and readers have taken every place. Another connection is closed for it.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** The connections of one HTTP server, bounded in number. Nothing to close: it follows the server's events. */
export class Connections {
  /** Without a request under way, the longest idle first. A client that was closed connects again when it needs to. */
  readonly #idle = new Set<Socket>();
  /** With the number of requests under way, the longest busy first. */
  readonly #busy = new Map<Socket, number>();
  readonly #max: number;

  /** @param max connections at once; a further one takes the place of the one that is idle longest, else busy longest */
  constructor(server: Server, max: number) {
    this.#max = max;
    server.on('connection', (socket) => this.#opened(socket));
    server.on('request', ({ socket }, response) => {
      this.#idle.delete(socket);
      this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1);
      response.once('close', () => this.#answered(socket));
    });
  }

  get size(): number {
    return this.#idle.size + this.#busy.size;
  }

  #opened(socket: Socket): void {
    if (this.size >= this.#max) {
      const [oldest] = this.#idle.size > 0 ? this.#idle : this.#busy.keys();
      if (oldest !== undefined) this.#close(oldest);
    }
    this.#idle.add(socket);
    socket.once('close', () => this.#forget(socket));
  }

  #answered(socket: Socket): void {
    const others = (this.#busy.get(socket) ?? 0) - 1;
    if (others > 0) this.#busy.set(socket, others);
    else if (this.#busy.delete(socket) && !socket.destroyed) this.#idle.add(socket);
  }

  #close(socket: Socket): void {
    this.#forget(socket);
    socket.destroy();
  }

  #forget(socket: Socket): void {
    this.#idle.delete(socket);
    this.#busy.delete(socket);
  }
}
