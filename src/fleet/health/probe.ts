// One health check of one endpoint: it answers, its playlist grows, or its FLV has tags.

import { type Failure, WeirError } from '../../errors.js';
import type { Endpoint, EndpointId, ServerOrigin } from '../../model.js';
import type { Exchange, UpstreamClient } from '../../upstream/client.js';
import { judgeError } from '../../upstream/judge.js';
import { keepsPath, upstreamTarget } from '../../upstream/target.js';
import { growthOf, isEnough, maxProbeBytes, mediaOf, type SeenPlaylist } from './media.js';

/** `unknown`: nothing that speaks for or against the endpoint. */
export type Finding = 'well' | 'unknown' | Failure;

/** Milliseconds for one request. */
export const probeDeadlineMs = 5_000;
/** Playlists that are remembered. */
const maxSeen = 2_000;

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** Checks endpoints one request at a time each, and remembers their playlists. */
export class Probe {
  readonly #client: UpstreamClient;
  readonly #now: () => number;
  readonly #seen = new Map<EndpointId, SeenPlaylist>();

  /** @param now monotonic ms */
  constructor(client: UpstreamClient, now: () => number) {
    this.#client = client;
    this.#now = now;
  }

  /** Where only players know the path, it is asked for `/`, and any answer is well. Never rejects. */
  async check(server: ServerOrigin, endpoint: Endpoint): Promise<Finding> {
    try {
      if (keepsPath(endpoint.address)) {
        await this.#ask(server, '/', () => true);
        return 'well';
      }
      const [first = '', second = ''] = ['.m3u8', '.flv'].map((suffix) => this.#pathOf(endpoint, suffix));
      const finding = await this.#look(server, endpoint, first);
      return finding === 'unknown' && second !== first ? await this.#look(server, endpoint, second) : finding;
    } catch (error) {
      // What this machine lacks, or may not do, is not the endpoint's fault.
      return error instanceof WeirError ? (judgeError(error, 'asked').failure ?? 'unknown') : 'unknown';
    }
  }

  async #look(server: ServerOrigin, endpoint: Endpoint, path: string): Promise<Finding> {
    const { status, body } = await this.#ask(server, path, isEnough);
    const media = mediaOf(status, body);
    if (media.kind === 'failed') return media.failure;
    if (media.kind === 'absent') return 'unknown';
    if (media.kind === 'well') return 'well';
    const { seen, stalled } = growthOf(this.#seen.get(endpoint.id), media.text, this.#now());
    this.#seen.delete(endpoint.id);
    this.#seen.set(endpoint.id, seen);
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= maxSeen) break;
      this.#seen.delete(oldest);
    }
    return stalled ? 'stall' : 'well';
  }

  #pathOf({ address, channel }: Endpoint, suffix: string): string {
    const path = `/live/${encodeURIComponent(channel)}${suffix}`;
    return upstreamTarget(address, { channel, path, suffix, query: '' }).path;
  }

  /** @throws WeirError */
  #ask(server: ServerOrigin, path: string, isEnough: (body: Buffer) => boolean): Promise<Answer> {
    return new Promise((resolve, reject) => {
      let exchange: Exchange | undefined;
      let status = 0;
      let body = Buffer.alloc(0);
      const settle = (how: () => void) => {
        clearTimeout(timer);
        exchange?.abort();
        how();
      };
      const answered = () => settle(() => resolve({ status, body }));
      const timer = setTimeout(() => {
        // An answer without an end is judged by what is there of it.
        if (status !== 0) answered();
        else settle(() => reject(new WeirError('upstream_first_byte_timeout')));
      }, probeDeadlineMs);
      const headers = { accept: '*/*', 'user-agent': 'weir (health check)' };
      exchange = this.#client.send(
        { server, path, method: 'GET', headers, firstByteTimeoutMs: probeDeadlineMs, follow: () => headers },
        {
          onResponse: (given) => {
            status = given;
          },
          onData: (chunk) => {
            body = Buffer.concat([body, chunk]).subarray(0, maxProbeBytes);
            if (body.length >= maxProbeBytes || isEnough(body)) answered();
            return true;
          },
          onEnd: answered,
          onError: (error) => settle(() => reject(error)),
        },
      );
    });
  }
}
