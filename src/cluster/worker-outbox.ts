// Messages on their way to one worker. Bounded: a worker that reads nothing costs so many messages and no more. Messages
// beyond that are left out and not sent later; when the worker reads again, it is sent everything as it is by then.

import type { ListeningSocket } from './listening-socket.js';
import type { SupervisorMessage } from './messages.js';

/** Messages that the system has not taken yet: more than two seconds of a busy registry. */
const maxWaiting = 256;

export interface OutboxTools {
  /** Hands a message to the system; `taken` is called once, when the system has it. */
  readonly write: (message: SupervisorMessage, socket: ListeningSocket | undefined, taken: () => void) => void;
  /** The worker reads again after something was left out. */
  readonly caughtUp: () => void;
}

/** Messages to one worker: 256 wait at most. */
export class WorkerOutbox {
  readonly #tools: OutboxTools;
  #waiting = 0;
  #leftOut = false;

  constructor(tools: OutboxTools) {
    this.#tools = tools;
  }

  /** False: the worker is behind, and this message was left out. */
  send(message: SupervisorMessage, socket?: ListeningSocket): boolean {
    // What follows a message that was left out is left out too, until everything is sent anew.
    this.#leftOut ||= this.#waiting >= maxWaiting;
    if (!this.#leftOut) this.insist(message, socket);
    return !this.#leftOut;
  }

  /** For what is sent once in the life of a worker. */
  insist(message: SupervisorMessage, socket?: ListeningSocket): void {
    this.#waiting += 1;
    this.#tools.write(message, socket, () => this.#taken());
  }

  #taken(): void {
    this.#waiting -= 1;
    if (!this.#leftOut || this.#waiting > 0) return;
    this.#leftOut = false;
    this.#tools.caughtUp();
  }
}
