// Players who ask for a new playlist while a refresh with the same query is under way wait for that one.

import { WeirError } from '../../errors.js';
import { StatusError } from './playlist-loader.js';

/** Queries that are tried at once, where the one that worked last is refused. */
const maxQueries = 8;

/** The refreshes of one playlist that are under way, by the query that they are asked with. */
export class SharedRefreshes<T> {
  readonly #refresh: (query: string) => Promise<T>;
  readonly #underWay = new Map<string, Promise<T>>();

  constructor(refresh: (query: string) => Promise<T>) {
    this.#refresh = refresh;
  }

  /**
   * Asks by the query that worked last; where that one is refused, by the player's own.
   *
   * @throws what the refresh throws; WeirError no_endpoint when too many queries are tried already
   */
  async ask(query: string, own: string): Promise<T> {
    try {
      return await this.#share(query);
    } catch (error) {
      if (own === query || !(error instanceof StatusError)) throw error;
      return await this.#share(own);
    }
  }

  #share(query: string): Promise<T> {
    const underWay = this.#underWay.get(query);
    if (underWay !== undefined) return underWay;
    if (this.#underWay.size >= maxQueries) return Promise.reject(new WeirError('no_endpoint'));
    const refreshing = this.#refresh(query).finally(() => this.#underWay.delete(query));
    this.#underWay.set(query, refreshing);
    return refreshing;
  }
}
