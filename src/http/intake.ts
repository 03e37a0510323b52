// The connections that a process takes from a listening socket that several share, up to its allowance. The rest waits in the
// socket for a process that has fewer, so that the process that wakes first does not take a whole burst.

import type { SendHandle } from 'node:child_process';
import { type Server, type Socket, Server as TcpServer } from 'node:net';

/** A socket that is bound, in the form in which one process hands it to another. */
export type SharedSocket = NonNullable<SendHandle>;

export interface IntakeState {
  /** Connections that are open now. */
  readonly open: number;
  /** False: it has what it may have, and needs the socket again to go on. */
  readonly accepting: boolean;
}

/** Connections that the system keeps waiting until they are accepted. */
export const backlog = 4096;

/** The accepting side of a process. Accepts only while it has fewer connections than allowed. */
export class Intake {
  readonly #server: Server;
  #open = 0;
  #allowance = Number.POSITIVE_INFINITY;
  #ended = false;
  /** Called when it stops accepting because it has what it may have. */
  onFull: () => void = () => {};

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#open += 1;
      socket.once('close', () => {
        this.#open -= 1;
      });
      this.#check();
    });
  }

  get state(): IntakeState {
    return { open: this.#open, accepting: this.#server.listening };
  }

  /** @param socket to accept from again; it is closed when it is not needed */
  allow(connections: number, socket: SharedSocket | undefined): void {
    this.#allowance = connections;
    if (socket !== undefined) {
      if (this.#ended || this.#server.listening) closeHandle(socket);
      else this.#server.listen(socket, backlog);
    }
    this.#check();
  }

  /** Takes no more connections. */
  end(): void {
    this.#ended = true;
  }

  /** In the event of the connection itself: the system is asked for the next one as soon as that returns. */
  #check(): void {
    if (this.#ended || !this.#server.listening || this.#open < this.#allowance) return;
    // Of this process's copy only: what waits in the socket stays there. The HTTP server's own `close` would end idle
    // connections too.
    TcpServer.prototype.close.call(this.#server);
    this.onFull();
  }
}

function closeHandle(socket: SharedSocket): void {
  (socket as unknown as { close(): void }).close();
}
