// Who has a connection to the admin listener. Nobody is refused for want of room: whoever probes the edge's health comes last,
// when registrars and readers have taken every place, and has to be answered.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export class Connections {
  /** Without a request under way, the longest idle first. Whoever was closed comes again when there is something to say. */
  readonly #idle = new Set<Socket>();
  /** With the number of requests under way, the longest busy first. */
  readonly #busy = new Map<Socket, number>();
  readonly #most: number;

  /** @param most connections at once; a further one takes the place of the one that is idle longest, else busy longest */
  constructor(server: Server, most: number) {
    this.#most = most;
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
    if (this.size >= this.#most) {
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
