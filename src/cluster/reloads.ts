// The settings in effect while the edge runs, and how others come into effect: one reload after the other. Of the reloads
// that wait meanwhile only the newest is done.

import { changes, withChanges } from '../config/changes.js';
import type { Config } from '../config-schema.js';
import type { Logger } from '../log.js';
import type { Metrics, ReloadOutcome } from '../metrics.js';

/** A change of settings that is to come into effect now. */
export interface SettingsChange {
  /** All settings as they are then. */
  readonly next: Config;
  /** Keys that change in place. */
  readonly live: readonly string[];
  /** Keys that take new workers. */
  readonly workers: readonly string[];
  /** New workers even where nothing changed. */
  readonly renew: boolean;
}

export interface ReloadsOptions {
  /** In effect from the start. */
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'reloads' | 'settingsRefused'>;
  /** Whether a change of this setting has to wait for the next start, although others like it need not. */
  readonly waits: (key: string, next: Config, takesWorkers: boolean) => boolean;
  /** Rejects, with everything as it was, when it cannot be done. */
  readonly apply: (change: SettingsChange) => Promise<void>;
}

interface Waiting {
  config: Config;
  renew: boolean;
  readonly done: Promise<void>;
}

/** The settings in effect. Sole owner of them, and of the queue of reloads: at most one runs and one waits. */
export class Reloads {
  readonly #options: ReloadsOptions;
  #inEffect: Config;
  #last: Promise<void> = Promise.resolve();
  #waiting: Waiting | undefined;

  constructor(options: ReloadsOptions) {
    this.#options = options;
    this.#inEffect = options.config;
  }

  get inEffect(): Config {
    return this.#inEffect;
  }

  /** Resolves when these settings, or newer ones, are in effect; rejects when they cannot be. */
  reload(config: Config, renew: boolean): Promise<void> {
    if (this.#waiting !== undefined) {
      this.#waiting.config = config;
      this.#waiting.renew ||= renew;
      return this.#waiting.done;
    }
    const done = this.#last.then(() => this.#begin());
    this.#waiting = { config, renew, done };
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** There were settings that could not be read. */
  refused(): void {
    this.#count('refused');
  }

  async #begin(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    try {
      await this.#run(waiting);
    } catch (error) {
      this.#count('failed');
      throw error;
    }
  }

  async #run({ config, renew }: Waiting): Promise<void> {
    const { logger, waits, apply } = this.#options;
    const found = changes(this.#inEffect, config);
    const live = found.live.filter((key) => !waits(key, config, false));
    const workers = found.workers.filter((key) => !waits(key, config, true));
    const now = new Set([...live, ...workers]);
    const later = Object.values(found).flatMap((keys) => keys.filter((key) => !now.has(key)));
    if (later.length > 0) logger.warn({ settings: later }, 'these settings take effect at the next start');
    const next = withChanges(this.#inEffect, config, now);
    await apply({ next, live, workers, renew });
    this.#inEffect = next;
    const outcome = renew || workers.length > 0 ? 'new workers' : live.length > 0 ? 'in place' : 'nothing to do';
    this.#count(outcome === 'nothing to do' ? 'unchanged' : 'applied');
    logger.info({ settings: [...workers, ...live], outcome }, 'settings in effect');
  }

  #count(outcome: ReloadOutcome): void {
    const { metrics } = this.#options;
    metrics.reloads.inc({ outcome });
    metrics.settingsRefused.set(outcome === 'failed' || outcome === 'refused' ? 1 : 0);
  }
}
