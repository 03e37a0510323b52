// What workers report without being asked. Each kind goes to its subscribers.

import type { WorkerMessage } from './messages.js';

/** Messages of a worker, except those of its start, its answers and its heartbeat. */
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
    // Only news of this kind reach the listeners of the kind.
    listeners.push((worker, news) => listener(worker, news as NewsOf<K>));
  }

  emit(worker: W, news: WorkerNews): void {
    for (const listener of this.#listeners.get(news.kind) ?? []) listener(worker, news);
  }
}
