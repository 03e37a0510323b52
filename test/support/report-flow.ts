// Many origins that report their loads to the embedded registry of an edge, at a steady rate.

import { connect, type Socket } from 'node:net';

/** Milliseconds between two writes, each with as many reports as are due. */
const interval = 10;
const channels = 20;
const endpointsInEach = 10;

export class ReportFlow {
  readonly #port: number;
  readonly #rate: number;
  readonly #timer: NodeJS.Timeout;
  #socket: Socket | undefined;
  #written = 0;
  #due = 0;
  #lastAt = performance.now();
  #failed: string | undefined;
  /** Reports that were answered. */
  accepted = 0;

  /**
   * Begins at once, whether the edge is there already or not.
   * @param port of the admin listener, on 127.0.0.1
   * @param rate reports a second
   */
  constructor(port: number, rate: number) {
    this.#port = port;
    this.#rate = rate;
    this.#timer = setInterval(() => this.#write(), interval);
  }

  /** What the edge said of a report that it did not take. */
  get failed(): string | undefined {
    return this.#failed;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#socket?.destroy();
  }

  #write(): void {
    const now = performance.now();
    this.#due += ((now - this.#lastAt) / 1_000) * this.#rate;
    this.#lastAt = now;
    this.#socket ??= this.#connect();
    // Who does not keep up is not written to without end.
    const room = 1_000 - (this.#written - this.accepted);
    const count = Math.max(0, Math.min(Math.floor(this.#due), room));
    this.#due = Math.min(this.#due - count, this.#rate);
    if (count === 0 || this.#socket.connecting) return;
    this.#socket.write(Array.from({ length: count }, () => this.#report()).join(''));
  }

  #connect(): Socket {
    const socket = connect(this.#port, '127.0.0.1').setEncoding('latin1');
    this.#written = this.accepted;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#socket = undefined;
    });
    socket.on('data', (text: unknown) => {
      const answers = String(text).match(/HTTP\/1\.1 \d+[^\r]*/g) ?? [];
      this.#failed ??= answers.find((line) => !/ 20[01] /.test(line));
      this.accepted += answers.length;
    });
    return socket;
  }

  #report(): string {
    const number = this.#written++;
    const endpoint = number % (channels * endpointsInEach);
    const body = JSON.stringify({
      service_address: `127.0.0.1:${10_000 + endpoint}`,
      load: (number % 1_000) / 1_000,
      ttl: 300,
    });
    const path = `/api/v1/channels/flow-${endpoint % channels}/endpoints/${endpoint}`;
    const head = `PUT ${path} HTTP/1.1\r\nHost: edge\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    return head + body;
  }
}
