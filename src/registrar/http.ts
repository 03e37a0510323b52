// Keeps leases in the embedded registry of an edge, and renews each after a third of its time.

import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import type { ChannelName } from '../model.js';
import { type Backoff, backoffDelay } from '../registry/backoff.js';
import type { RegistryLogger } from '../registry/logger.js';
import type { Keeper, Kept } from './keeper.js';

export interface LeaseSettings {
  /** The edge's admin listener. */
  readonly url: string;
  readonly token: string | undefined;
  /** The requested time of a lease. */
  readonly ttlMs: number;
}

const retry: Backoff = { baseMs: 200, maxMs: 5_000 };
const requestDeadlineMs = 5_000;
const closeDeadlineMs = 5_000;
/** To the edge, for all leases. */
const maxConnections = 4;
/** Statuses that no retry mends: the request or the credentials are wrong. */
const hopeless = [400, 401, 403, 404, 405, 415];

interface Answer {
  readonly status: number;
  /** The granted time; undefined where the answer does not say it. */
  readonly ttlMs: number | undefined;
  readonly message: string;
}

/** Keeps leases, one a channel, over a few connections. */
export class LeaseKeeper implements Keeper {
  readonly #pool: Pool;
  readonly #leases = new Set<Lease>();
  readonly #settings: LeaseSettings;
  readonly #logger: RegistryLogger;

  constructor(settings: LeaseSettings, logger: RegistryLogger) {
    this.#settings = settings;
    this.#logger = logger;
    this.#pool = new Pool(new URL(settings.url).origin, {
      connections: maxConnections,
      connect: { timeout: requestDeadlineMs },
    });
  }

  keep(channel: ChannelName, data: string): Kept {
    const lease = new Lease(this.#pool, this.#settings, channel, data, this.#logger);
    this.#leases.add(lease);
    return {
      path: lease.path,
      made: lease.granted,
      write: (data) => lease.write(data),
      remove: () => void this.#end(lease, requestDeadlineMs),
    };
  }

  async close(): Promise<void> {
    // For all together: a lease that the edge does not hear of in this time expires by itself.
    await Promise.all([...this.#leases].map((lease) => this.#end(lease, closeDeadlineMs)));
    await this.#pool.destroy();
  }

  async #end(lease: Lease, deadlineMs: number): Promise<void> {
    await lease.end(AbortSignal.timeout(deadlineMs));
    this.#leases.delete(lease);
  }
}

class Lease {
  readonly path: string;
  /** Settles once: resolves with the first lease, or rejects with an error that no retry mends. */
  readonly granted: Promise<void>;
  /** Rejects `granted`; without effect after the first lease. */
  #refuse: (error: Error) => void = () => {};
  #grant: () => void = () => {};
  readonly #pool: Pool;
  readonly #target: string;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #ended: Promise<void> | undefined;
  #data: string;
  #changed = false;
  #wake: () => void = () => {};
  readonly #settings: LeaseSettings;
  readonly #logger: RegistryLogger;

  constructor(pool: Pool, settings: LeaseSettings, channel: ChannelName, data: string, logger: RegistryLogger) {
    this.#pool = pool;
    this.#settings = settings;
    this.#data = data;
    this.#logger = logger;
    const url = new URL(settings.url);
    const name = `endpoint-${randomUUID().slice(0, 8)}`;
    const base = url.pathname.replace(/\/$/, '');
    this.#target = `${base}/api/v1/channels/${encodeURIComponent(channel)}/endpoints/${name}`;
    this.path = `${url.origin}${this.#target}`;
    this.granted = new Promise((resolve, reject) => {
      this.#grant = resolve;
      this.#refuse = reject;
    });
    this.granted.catch(() => {});
    this.#running = this.#renew();
  }

  write(data: string): void {
    this.#data = data;
    this.#changed = true;
    this.#wake();
  }

  /** Ends the lease at the edge, unless the signal aborts first. */
  end(signal: AbortSignal): Promise<void> {
    this.#ended ??= this.#leave(signal);
    return this.#ended;
  }

  async #leave(signal: AbortSignal): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#running;
    try {
      await this.#send('DELETE', signal);
    } catch {
      this.#logger.warn({ path: this.path }, 'the edge was not told; its lease runs out by itself');
    }
  }

  async #renew(): Promise<void> {
    let held = false;
    for (let failures = 0; !this.#stop.signal.aborted; ) {
      this.#changed = false;
      const answer = await this.#send('PUT', this.#stop.signal).catch(
        (error: Error): Answer => ({ status: 0, ttlMs: undefined, message: error.message }),
      );
      if (this.#stop.signal.aborted) return;
      if (answer.status === 200 || answer.status === 201) {
        if (!held || answer.status === 201) this.#logger.info({ path: this.path }, 'registered');
        held = true;
        failures = 0;
        this.#grant();
        await this.#pause((answer.ttlMs ?? this.#settings.ttlMs) / 3);
        continue;
      }
      if (!held && hopeless.includes(answer.status)) {
        this.#refuse(new Error(`${this.path}: ${answer.status} ${answer.message}`));
      }
      const delayMs = backoffDelay(failures++, retry, Math.random);
      const line = { path: this.path, status: answer.status, reason: answer.message, retryMs: Math.round(delayMs) };
      this.#logger.warn(line, 'not registered');
      await this.#pause(delayMs, true);
    }
  }

  /** Waits for this time, or until the data changes. A failing edge is not asked earlier because the data changed. */
  async #pause(delayMs: number, evenIfChanged = false): Promise<void> {
    if (this.#changed && !evenIfChanged) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#wake = () => {
        if (evenIfChanged && !this.#stop.signal.aborted) return;
        clearTimeout(timer);
        resolve();
      };
      if (this.#stop.signal.aborted) this.#wake();
    });
    this.#wake = () => {};
  }

  async #send(method: 'PUT' | 'DELETE', signal?: AbortSignal): Promise<Answer> {
    const { token, ttlMs } = this.#settings;
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    const info = JSON.parse(this.#data) as object;
    const deadline = AbortSignal.timeout(requestDeadlineMs);
    const { statusCode, body } = await this.#pool.request({
      method,
      path: this.#target,
      headers,
      body: method === 'PUT' ? JSON.stringify({ ...info, ttl: ttlMs / 1000 }) : null,
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
    const text = await body.text();
    return { status: statusCode, ...readAnswer(text) };
  }
}

function readAnswer(text: string): { ttlMs: number | undefined; message: string } {
  try {
    const { ttl, message } = JSON.parse(text) as { ttl?: unknown; message?: unknown };
    return {
      ttlMs: typeof ttl === 'number' && ttl > 0 ? ttl * 1000 : undefined,
      message: typeof message === 'string' ? message : '',
    };
  } catch {
    return { ttlMs: undefined, message: text.slice(0, 200) };
  }
}
