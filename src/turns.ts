// Requests that a client sends before the answer to the one before (pipelining) wait for their turn: nothing is asked, picked
// or counted for an answer that has no connection yet, since Node tells nobody when such an answer is never sent.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Requests that may wait on one connection. No player pipelines; who sends more is cut off. */
const longestQueue = 32;

export class Turns {
  readonly #waiting = new WeakMap<Duplex, number>();

  /** Calls `act` once the answer is the next one on its connection; never, if the connection ends before. */
  wait({ socket }: IncomingMessage, response: ServerResponse, act: () => void): void {
    // What came along with the request that was one too many.
    if (socket.destroyed) return;
    const waiting = (this.#waiting.get(socket) ?? 0) + 1;
    if (waiting > longestQueue) {
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
