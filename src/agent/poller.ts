// Asks a media server again and again, and says what it answered and when nobody is there.

import type { Logger } from '../log.js';
import { Api, Refused } from './request.js';
import type { MediaServer } from './server.js';
import type { Reading } from './stream.js';

/** What finds streams: a poller, or a program that prints them. */
export interface Source {
  /** Goes on until the signal aborts; never rejects. */
  run(listener: SourceListener, signal: AbortSignal): Promise<void>;
  /** Something changed: look at once. */
  look(): void;
}

export interface SourceListener {
  /** @param askedAt monotonic ms; what the answer says was so then or later */
  answered(reading: Reading, askedAt: number): void;
  /** Nobody is there: no further answer has to be waited for. */
  gone(): void;
}

export interface PollSettings {
  /** ms from one question to the next. */
  readonly interval: number;
  /** ms for all of an answer. */
  readonly deadline: number;
}

/** A server that restarts refuses connections for a moment; this is asked again after so many ms before it counts. */
const confirmation = 100;
/** ms between an answer and the next question, however often somebody calls. */
const leastPause = 100;

/** The polls of one media server, one at a time. */
export class Poller implements Source {
  #wake: () => void = () => {};
  #lookAgain = false;
  #told = '';
  readonly #server: MediaServer;
  readonly #url: string;
  readonly #settings: PollSettings;
  readonly #logger: Logger;

  constructor(server: MediaServer, url: string, settings: PollSettings, logger: Logger) {
    this.#server = server;
    this.#url = url;
    this.#settings = settings;
    this.#logger = logger;
  }

  async run(listener: SourceListener, signal: AbortSignal): Promise<void> {
    const api = new Api(this.#url);
    const onAbort = () => this.#wake();
    signal.addEventListener('abort', onAbort, { once: true });
    let refusals = 0;
    while (!signal.aborted) {
      const askedAt = performance.now();
      this.#lookAgain = false;
      try {
        listener.answered(await this.#ask(api, signal), askedAt);
        refusals = 0;
        this.#tell('');
      } catch (error) {
        if (signal.aborted) break;
        refusals = error instanceof Refused ? refusals + 1 : 0;
        if (refusals === 2) listener.gone();
        this.#tell((error as Error).message);
      }
      await this.#pause(askedAt + (refusals === 1 ? confirmation : this.#settings.interval), signal);
    }
    signal.removeEventListener('abort', onAbort);
    await api.close();
  }

  look(): void {
    this.#lookAgain = true;
    this.#wake();
  }

  async #ask(api: Api, signal: AbortSignal): Promise<Reading> {
    const deadline = AbortSignal.timeout(this.#settings.deadline);
    const both = AbortSignal.any([signal, deadline]);
    try {
      return await this.#server.read((question) => api.ask(question, both));
    } catch (error) {
      if (deadline.aborted) throw new Error(`no answer in ${this.#settings.deadline} ms`, { cause: error });
      throw error;
    }
  }

  /** Once for each kind of trouble, and once that it is over. */
  #tell(reason: string): void {
    if (reason === this.#told) return;
    if (reason === '') this.#logger.info({ api: this.#url }, 'the media server answers');
    else this.#logger.warn({ api: this.#url, reason }, 'the media server does not answer as it should');
    this.#told = reason;
  }

  /** Until `next`, or sooner if there is reason to look. */
  async #pause(next: number, signal: AbortSignal): Promise<void> {
    const soonest = performance.now() + leastPause;
    while (!signal.aborted) {
      const end = this.#lookAgain ? soonest : Math.max(next, soonest);
      const delay = end - performance.now();
      if (delay <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, delay);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = () => {};
    }
  }
}
