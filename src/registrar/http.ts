// Keeps a lease of the embedded registry, renewing it at a third of its time.

import { randomUUID } from 'node:crypto';
import { Client } from 'undici';
import type { ChannelName, ServiceAddress } from '../model.js';
import { type Backoff, backoffDelay } from '../registry/backoff.js';
import { encodeChannelInfo } from '../registry/formats/channel-info.js';
import type { RegistryLogger } from '../registry/logger.js';
import { mergeValues, type Registration, type ReportedValues } from './registration.js';

export interface LeaseSettings {
  /** Of the edge's admin listener. */
  readonly url: string;
  readonly token: string | undefined;
  /** Milliseconds asked for. */
  readonly ttl: number;
}

export interface RegisteredEndpoint {
  readonly channel: ChannelName;
  readonly address: ServiceAddress;
  readonly values: Required<ReportedValues>;
}

const retry: Backoff = { base: 200, max: 5_000 };
const requestDeadline = 5_000;
/** What the edge refuses for good: the request or the credentials are wrong. */
const hopeless = [400, 401, 403, 404, 405, 415];

interface Answer {
  readonly status: number;
  /** Milliseconds granted, where the answer says so. */
  readonly ttl: number | undefined;
  readonly message: string;
}

/** Resolves when the first lease was granted. */
export async function registerOverHttp(
  settings: LeaseSettings,
  endpoint: RegisteredEndpoint,
  logger: RegistryLogger,
  signal?: AbortSignal,
): Promise<Registration> {
  const lease = new Lease(settings, endpoint, logger);
  const onAbort = () => lease.refuse(new Error('given up before it was registered'));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    await lease.granted;
  } catch (error) {
    await lease.close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  return lease;
}

class Lease implements Registration {
  readonly path: string;
  /** Settles once: with the first lease, or with the error that no retry heals. */
  readonly granted: Promise<void>;
  /** Fails `granted`; after the first lease it means nothing. */
  refuse: (error: Error) => void = () => {};
  #grant: () => void = () => {};
  readonly #client: Client;
  readonly #target: string;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #values: Required<ReportedValues>;
  #changed = false;
  #wake: () => void = () => {};
  readonly #settings: LeaseSettings;
  readonly #endpoint: RegisteredEndpoint;
  readonly #logger: RegistryLogger;

  constructor(settings: LeaseSettings, endpoint: RegisteredEndpoint, logger: RegistryLogger) {
    this.#settings = settings;
    this.#endpoint = endpoint;
    this.#logger = logger;
    this.#values = endpoint.values;
    const url = new URL(settings.url);
    const name = `endpoint-${randomUUID().slice(0, 8)}`;
    const base = url.pathname.replace(/\/$/, '');
    this.#target = `${base}/api/v1/channels/${encodeURIComponent(endpoint.channel)}/endpoints/${name}`;
    this.path = `${url.origin}${this.#target}`;
    this.#client = new Client(url.origin, { connect: { timeout: requestDeadline } });
    this.granted = new Promise((resolve, reject) => {
      this.#grant = resolve;
      this.refuse = reject;
    });
    this.#running = this.#renew();
  }

  update(values: ReportedValues): void {
    this.#values = mergeValues(this.#values, values);
    this.#changed = true;
    this.#wake();
  }

  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return await this.#running;
    this.#stop.abort();
    this.#wake();
    await this.#running;
    try {
      await this.#send('DELETE');
    } catch {
      this.#logger.warn({ path: this.path }, 'the edge was not told; its lease runs out by itself');
    }
    await this.#client.destroy();
  }

  async #renew(): Promise<void> {
    let held = false;
    for (let failures = 0; !this.#stop.signal.aborted; ) {
      this.#changed = false;
      const answer = await this.#send('PUT', this.#stop.signal).catch(
        (error: Error): Answer => ({ status: 0, ttl: undefined, message: error.message }),
      );
      if (this.#stop.signal.aborted) return;
      if (answer.status === 200 || answer.status === 201) {
        if (!held || answer.status === 201) this.#logger.info({ path: this.path }, 'registered');
        held = true;
        failures = 0;
        this.#grant();
        await this.#pause((answer.ttl ?? this.#settings.ttl) / 3);
        continue;
      }
      if (!held && hopeless.includes(answer.status)) {
        this.refuse(new Error(`${this.path}: ${answer.status} ${answer.message}`));
        return;
      }
      const delay = backoffDelay(failures++, retry, Math.random);
      const line = { path: this.path, status: answer.status, reason: answer.message, retryMs: Math.round(delay) };
      this.#logger.warn(line, 'not registered');
      await this.#pause(delay, true);
    }
  }

  /** Waits, or until there is something to tell. A failing edge is not asked more often because of news. */
  async #pause(delay: number, evenWithNews = false): Promise<void> {
    if (this.#changed && !evenWithNews) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#wake = () => {
        if (evenWithNews && !this.#stop.signal.aborted) return;
        clearTimeout(timer);
        resolve();
      };
      if (this.#stop.signal.aborted) this.#wake();
    });
    this.#wake = () => {};
  }

  async #send(method: 'PUT' | 'DELETE', signal?: AbortSignal): Promise<Answer> {
    const { token, ttl } = this.#settings;
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    const info = JSON.parse(encodeChannelInfo(this.#endpoint.address, this.#values)) as object;
    const deadline = AbortSignal.timeout(requestDeadline);
    const { statusCode, body } = await this.#client.request({
      method,
      path: this.#target,
      headers,
      body: method === 'PUT' ? JSON.stringify({ ...info, ttl: ttl / 1000 }) : null,
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
    const text = await body.text();
    return { status: statusCode, ...readAnswer(text) };
  }
}

function readAnswer(text: string): { ttl: number | undefined; message: string } {
  try {
    const { ttl, message } = JSON.parse(text) as { ttl?: unknown; message?: unknown };
    return {
      ttl: typeof ttl === 'number' && ttl > 0 ? ttl * 1000 : undefined,
      message: typeof message === 'string' ? message : '',
    };
  } catch {
    return { ttl: undefined, message: text.slice(0, 200) };
  }
}
