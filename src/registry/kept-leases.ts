// The embedded registry with its leases in a file, so that a restart of the edge loses no lease that has not expired.

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import type { EmbeddedRegistry } from './embedded.js';
import type { RegistryLogger } from './logger.js';
import type { Registry, RegistrySink } from './registry.js';
import { replaceFile } from './replace-file.js';
import { type Clocks, readLeases, writeLeases } from './saved-leases.js';

/** From a change of the registered endpoints to the write; from a mere renewal. */
const memberDelayMs = 1_000;
const renewalDelayMs = 5_000;
/** As many leases as can be granted take less. */
const maxFileBytes = 128 * 1024 * 1024;

/** Restores the leases when it runs, and writes them after each change and at its end. Owns the file. */
export class KeptLeases implements Registry {
  readonly #registry: EmbeddedRegistry;
  readonly #path: string;
  readonly #logger: RegistryLogger;
  readonly #clocks: () => Clocks;
  #timer: NodeJS.Timeout | undefined;
  /** Monotonic ms, of the timer. */
  #dueAt = Number.POSITIVE_INFINITY;
  #writing: Promise<void> = Promise.resolve();
  #isFailing = false;

  /** @param clocks the monotonic one must be the clock of the registry */
  constructor(
    registry: EmbeddedRegistry,
    path: string,
    logger: RegistryLogger,
    clocks = (): Clocks => ({ monotonic: performance.now(), wall: Date.now() }),
  ) {
    this.#registry = registry;
    this.#path = path;
    this.#logger = logger;
    this.#clocks = clocks;
  }

  async run(sink: RegistrySink, signal: AbortSignal): Promise<void> {
    // Before anybody can renew a lease.
    this.#restore();
    await this.#registry.run(
      {
        replace: (all) => sink.replace(all),
        put: (endpoint, seenAt) => sink.put(endpoint, seenAt),
        drop: (id, seenAt) => sink.drop(id, seenAt),
        status: (state) => sink.status(state),
        note: (note) => {
          if (note.kind === 'event') this.#changed(note.event === 'lease_renewed' ? renewalDelayMs : memberDelayMs);
          sink.note(note);
        },
      },
      signal,
    );
    this.#writeNow();
    await this.#writing;
  }

  #restore(): void {
    const path = this.#path;
    try {
      const leases = readLeases(readOwnFile(path), this.#clocks().wall);
      for (const { channel, name, info, isDrained, ttlMs } of leases) {
        const { kind } = this.#registry.put(channel, name, info, ttlMs);
        if (kind !== 'full' && isDrained) this.#registry.drain(channel, name, true);
      }
      this.#logger.info({ path, leases: leases.length }, 'leases of the last run are taken over');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      this.#logger.error({ path, reason: (error as Error).message }, 'the file of leases is ignored');
    }
  }

  #changed(delayMs: number): void {
    const now = this.#clocks().monotonic;
    if (now + delayMs >= this.#dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = now + delayMs;
    this.#timer = setTimeout(() => this.#writeNow(), delayMs);
  }

  #writeNow(): void {
    clearTimeout(this.#timer);
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#writing = this.#writing.then(() => this.#write());
  }

  async #write(): Promise<void> {
    try {
      await replaceFile(this.#path, [writeLeases(this.#registry.list(), this.#clocks())]);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) {
        this.#logger.error({ path: this.#path, reason: (error as Error).message }, 'leases cannot be kept');
      }
      this.#isFailing = true;
    }
  }
}

/** Refuses a file that others may write: they could register anything. */
function readOwnFile(path: string): string {
  const file = openSync(path, 'r');
  try {
    const { mode, size } = fstatSync(file);
    if ((mode & 0o022) !== 0) throw new Error('others than its owner may write it');
    if (size > maxFileBytes) throw new Error(`it has more than ${maxFileBytes / 1024 / 1024} MiB`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}
