// What workers tell without being asked: each kind goes to those who subscribed to it.

import type { WorkerMessage } from './messages.js';

/** All that is no part of a worker's own beginning and answers. */
export type WorkerNews = Exclude<
  WorkerMessage,
  { kind: 'hello' | 'answer' | 'refusal' | 'listening' | 'failed' | 'heartbeat' }
>;
export type NewsOf<K extends WorkerNews['kind']> = Extract<WorkerNews, { kind: K }>;

type Listener<W> = (worker: W, news: WorkerNews) => void;

/** @typeParam W a worker, as far as its listeners need it */
export class News<W> {
  readonly #listeners = new Map<WorkerNews['kind'], Listener<W>[]>();

  on<K extends WorkerNews['kind']>(kind: K, listener: (worker: W, news: NewsOf<K>) => void): void {
    const listeners = this.#listeners.get(kind) ?? [];
    this.#listeners.set(kind, listeners);
    // What is told of a kind has that kind.
    listeners.push((worker, news) => listener(worker, news as NewsOf<K>));
  }

  tell(worker: W, news: WorkerNews): void {
    for (const listener of this.#listeners.get(news.kind) ?? []) listener(worker, news);
  }
}
