// Pipelined requests, which a client sends before the answer to an earlier one, wait for their turn. Nothing is asked, picked
// or counted before: Node does not report when an answer that waits for its connection is never sent.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Requests that may wait on one connection. No player pipelines; a client that sends more is cut off. */
const maxQueued = 32;

/** The requests that wait on each connection, 32 at most. */
export class Turns {
  readonly #waiting = new WeakMap<Duplex, number>();

  /** Calls `act` once the answer is the next one on its connection; never, if the connection ends before. */
  wait({ socket }: IncomingMessage, response: ServerResponse, act: () => void): void {
    // Requests that came with the one that was too many.
    if (socket.destroyed) return;
    const waiting = (this.#waiting.get(socket) ?? 0) + 1;
    if (waiting > maxQueued) {
      socket.destroy();
      return;
    }
    this.#waiting.set(socket, waiting);
    response.once('socket', () => {
      this.#waiting.set(socket, (this.#waiting.get(socket) ?? 1) - 1);
      act();
    });
  }
}
