// Polls a media server, and reports its answers and when nobody listens there.

import type { Logger } from '../log.js';
import { Api, Refused } from './request.js';
import type { MediaServer } from './server.js';
import type { Reading } from './stream.js';

/** What finds streams: a poller, or a program that prints them. */
export interface StreamSource {
  /** Goes on until the signal aborts; never rejects. */
  run(listener: SourceListener, signal: AbortSignal): Promise<void>;
  /** Something changed: look at once. */
  look(): void;
}

export interface SourceListener {
  /** @param askedAt monotonic ms; the answer describes that moment or a later one */
  answered(reading: Reading, askedAt: number): void;
  /** Nobody listens there: waiting for an answer is of no use. */
  gone(): void;
}

export interface PollSettings {
  /** From one request to the next. */
  readonly intervalMs: number;
  /** For a whole answer. */
  readonly deadlineMs: number;
}

/** A server that restarts refuses connections for a moment. A first refusal counts only if a second one follows after this time. */
const confirmDelayMs = 100;
/** Between an answer and the next request, however often hooks arrive. */
const minPauseMs = 100;

/** The polls of one media server, one at a time. */
export class Poller implements StreamSource {
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
      await this.#pause(askedAt + (refusals === 1 ? confirmDelayMs : this.#settings.intervalMs), signal);
    }
    signal.removeEventListener('abort', onAbort);
    await api.close();
  }

  look(): void {
    this.#lookAgain = true;
    this.#wake();
  }

  async #ask(api: Api, signal: AbortSignal): Promise<Reading> {
    const deadline = AbortSignal.timeout(this.#settings.deadlineMs);
    const both = AbortSignal.any([signal, deadline]);
    try {
      return await this.#server.read((question) => api.ask(question, both));
    } catch (error) {
      if (deadline.aborted) throw new Error(`no answer in ${this.#settings.deadlineMs} ms`, { cause: error });
      throw error;
    }
  }

  /** Logs each kind of trouble once, and its end once. */
  #tell(reason: string): void {
    if (reason === this.#told) return;
    if (reason === '') this.#logger.info({ api: this.#url }, 'the media server answers');
    else this.#logger.warn({ api: this.#url, reason }, 'the media server does not answer as it should');
    this.#told = reason;
  }

  /** Waits until `next`, or less when `look` is called. */
  async #pause(next: number, signal: AbortSignal): Promise<void> {
    const soonest = performance.now() + minPauseMs;
    while (!signal.aborted) {
      const end = this.#lookAgain ? soonest : Math.max(next, soonest);
      const delayMs = end - performance.now();
      if (delayMs <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, delayMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = () => {};
    }
  }
}
