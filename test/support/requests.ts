// Players' requests over connections of one's own choice, counted as a load generator counts them.

import { Agent, get, type IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Milliseconds. */
const deadline = 15_000;

/** Resolves with the whole answer; rejects when the connection fails, the body is cut, or nothing moves for 15 s. */
export function request(url: string, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = get(url, { agent, timeout: deadline }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
  });
}

export interface Tally {
  requests: number;
  bytes: number;
  readonly failures: string[];
}

/** Players who ask for these paths again and again, each on a connection of its own that is kept alive. */
export class Players {
  readonly tally: Tally = { requests: 0, bytes: 0, failures: [] };
  readonly #base: string;
  readonly #paths: readonly string[];
  readonly #agents: Agent[] = [];
  readonly #running: Promise<void>[] = [];
  readonly #pause: number;
  #going = true;

  /** @param pause ms between an answer and the next request */
  constructor(base: string, paths: readonly string[], players: number, pause = 20) {
    this.#base = base;
    this.#paths = paths;
    this.#pause = pause;
    for (let i = 0; i < players; i += 1) this.#running.push(this.#play(i));
  }

  async stop(): Promise<Tally> {
    this.#going = false;
    await Promise.all(this.#running);
    for (const agent of this.#agents) agent.destroy();
    return this.tally;
  }

  async #play(index: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    this.#agents.push(agent);
    for (let turn = index; this.#going; turn += 1) {
      const path = this.#paths[turn % this.#paths.length] ?? '/';
      try {
        const { status, body } = await request(this.#base + path, agent);
        this.tally.requests += 1;
        this.tally.bytes += body.length;
        if (status !== 200) this.tally.failures.push(`${status} ${path} ${body.subarray(0, 200)}`);
      } catch (error) {
        this.tally.failures.push(`${(error as Error).message} ${path}`);
      }
      await sleep(this.#pause);
    }
  }
}
