// The plans of channels as a worker sees them: it asks its supervisor, which alone has a session with ZooKeeper.

import type { PlanDesk, PlanNews, PlanWatch } from '../data-plane/contract.js';
import type { ChannelName } from '../model.js';
import type { WorkerMessage } from './messages.js';

interface Watched {
  readonly listeners: Set<(news: PlanNews) => void>;
  last: PlanNews | undefined;
}

/** Several sessions of one channel share a watch. */
export class AskedPlans implements PlanDesk {
  readonly edge: string;
  readonly #send: (message: Extract<WorkerMessage, { kind: 'plan' }>) => void;
  readonly #watched = new Map<ChannelName, Watched>();

  constructor(edge: string, send: (message: Extract<WorkerMessage, { kind: 'plan' }>) => void) {
    this.edge = edge;
    this.#send = send;
  }

  watch(channel: ChannelName, heard: (news: PlanNews) => void): PlanWatch {
    let watched = this.#watched.get(channel);
    if (watched === undefined) {
      watched = { listeners: new Set(), last: undefined };
      this.#watched.set(channel, watched);
      this.#send({ kind: 'plan', channel, ask: 'watch' });
    }
    const { listeners, last } = watched;
    listeners.add(heard);
    if (last !== undefined) heard(last);
    return {
      write: (version, text) => this.#send({ kind: 'plan', channel, ask: { version, text } }),
      close: () => {
        listeners.delete(heard);
        if (listeners.size > 0 || this.#watched.get(channel)?.listeners !== listeners) return;
        this.#watched.delete(channel);
        this.#send({ kind: 'plan', channel, ask: 'unwatch' });
      },
    };
  }

  /** What the supervisor says. */
  heard(channel: ChannelName, news: PlanNews): void {
    const watched = this.#watched.get(channel);
    if (watched === undefined) return;
    watched.last = news;
    for (const listener of [...watched.listeners]) listener(news);
  }
}
