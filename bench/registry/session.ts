// The bench's side of a ZooKeeper session in a process of its own.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command, ReadCost, Registration } from './client.js';

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class Session {
  readonly #child = fork(fileURLToPath(new URL('./client.js', import.meta.url)), [], {
    execArgv: [],
    serialization: 'advanced',
  });
  readonly #waiting = new Map<number, { resolve: (answer: unknown) => void; reject: (error: Error) => void }>();
  #asked = 0;

  private constructor() {
    running.add(this.#child);
    this.#child.once('exit', () => running.delete(this.#child));
    this.#child.on('message', ({ id, answer, error }: { id: number; answer: unknown; error?: string }) => {
      if (error === undefined) this.#waiting.get(id)?.resolve(answer);
      else this.#waiting.get(id)?.reject(new Error(error));
      this.#waiting.delete(id);
    });
  }

  static async open(address: string): Promise<Session> {
    const session = new Session();
    await session.#ask({ kind: 'connect', address });
    return session;
  }

  register(registrations: readonly Registration[]): Promise<readonly string[]> {
    return this.#ask({ kind: 'register', registrations }) as Promise<readonly string[]>;
  }

  flow(rate: number, seconds: number): Promise<number> {
    return this.#ask({ kind: 'flow', rate, seconds }) as Promise<number>;
  }

  report(load: number): Promise<number> {
    return this.#ask({ kind: 'report', load }) as Promise<number>;
  }

  read(root: string): Promise<ReadCost> {
    return this.#ask({ kind: 'read', root }) as Promise<ReadCost>;
  }

  seen(path: string, load: number): Promise<number> {
    return this.#ask({ kind: 'seen', path, load }) as Promise<number>;
  }

  /** Its endpoints are gone when this resolves. */
  async end(): Promise<void> {
    const exited = once(this.#child, 'exit');
    await this.#ask({ kind: 'end' });
    await exited;
  }

  #ask(command: Command): Promise<unknown> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, command });
    });
  }
}
