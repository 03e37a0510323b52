// One endpoint as the edge meets it: one client for all players, with the session that the endpoint may insist on (a cookie, a
// query), which players never see.

import type { IncomingHttpHeaders } from 'node:http';
import { WeirError } from '../errors.js';
import type { ServiceAddress } from '../model.js';
import { serverOf } from '../net-address.js';
import { version } from '../package.js';
import type { Exchange, UpstreamClient, UpstreamHandler } from '../upstream/client.js';
import { isSafePath } from '../upstream/path.js';
import { upstreamTarget } from '../upstream/target.js';
import { merge, nameOf, pieces } from './query.js';

export interface OriginOptions {
  readonly client: UpstreamClient;
  readonly address: ServiceAddress;
  readonly channel: string;
  /** `/live/news` of players' paths. */
  readonly stem: string;
  /** This edge in `Via`. */
  readonly via: string;
  /** The player's credentials, where the session is for those who have them. */
  readonly authorization: string | undefined;
  /** Parameters that are an origin's session wherever they appear. */
  readonly sessionParameters: ReadonlySet<string>;
}

export interface TextAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly url: URL;
}

const longestText = 4 * 1024 * 1024;
const mostCookies = 16;
const mostRedirects = 3;

export class Origin {
  readonly #options: OriginOptions;
  readonly #cookies = new Map<string, string>();
  #session = '';
  /** Names of parameters that belong to the session. */
  readonly hidden: Set<string>;

  constructor(options: OriginOptions) {
    this.#options = options;
    this.hidden = new Set(options.sessionParameters);
  }

  get address(): ServiceAddress {
    return this.#options.address;
  }

  /** Path at this endpoint, without a query, for what follows the stem. */
  forward(rest: string): string {
    return this.#target(rest, '').split('?', 1)[0] ?? '';
  }

  /** Throws bad_request for a path that would lead out of what the endpoint registered: `URL` resolves dot segments. */
  url(rest: string, query: string): URL {
    if (!isSafePath(rest)) throw new WeirError('bad_request', { detail: 'That path leads elsewhere.' });
    return new URL(this.#target(rest, query), serverOf(this.address));
  }

  #target(rest: string, query: string): string {
    const { channel, stem } = this.#options;
    return upstreamTarget(this.address, { channel, path: stem + rest, rest, query: query === '' ? '' : `?${query}` })
      .path;
  }

  /** The parameters of `query` that are a session from now on go with every request. */
  adopt(query: string, all: boolean): void {
    const found = pieces(query).filter((piece) => all || this.hidden.has(nameOf(piece)));
    for (const piece of found) this.hidden.add(nameOf(piece));
    this.#session = merge(found.join('&'), this.#session);
  }

  send(url: URL, headers: Record<string, string>, handler: UpstreamHandler, firstByteTimeout?: number): Exchange {
    const query = merge(url.search.slice(1), this.#session);
    const { client, address } = this.#options;
    return client.send(
      {
        server: serverOf(address),
        path: query === '' ? url.pathname : `${url.pathname}?${query}`,
        method: 'GET',
        headers: { ...this.#headers(), ...headers },
        ...(firstByteTimeout === undefined ? {} : { firstByteTimeout }),
      },
      handler,
    );
  }

  /**
   * Fetches a text whole, following redirects within the endpoint.
   *
   * @param deadline ms for all of it
   * @throws WeirError of the upstream client; upstream_bad_response for a text that is too long or a redirect elsewhere
   */
  async text(url: URL, deadline: number): Promise<TextAnswer> {
    let target = url;
    for (let hop = 0; hop <= mostRedirects; hop += 1) {
      const answer = await this.#text(target, deadline);
      const { location } = answer.headers;
      if (answer.status < 300 || answer.status > 399 || location === undefined) return answer;
      if (!URL.canParse(location, target.href)) break;
      target = new URL(location, target.href);
      if (target.origin !== url.origin) break;
    }
    throw new WeirError('upstream_bad_response', { detail: 'The endpoint redirected a playlist elsewhere.' });
  }

  #text(url: URL, deadline: number): Promise<TextAnswer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let size = 0;
      let head: { status: number; headers: IncomingHttpHeaders } | undefined;
      const fail = (error: WeirError) => {
        clearTimeout(timer);
        exchange.abort();
        reject(error);
      };
      const timer = setTimeout(() => fail(new WeirError('upstream_first_byte_timeout')), deadline);
      const handler: UpstreamHandler = {
        onResponse: (status, headers) => {
          head = { status, headers };
          this.#keepCookies(headers['set-cookie']);
        },
        onData: (chunk) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size > longestText) fail(new WeirError('upstream_bad_response', { detail: 'The playlist is too long.' }));
          return true;
        },
        onEnd: () => {
          clearTimeout(timer);
          if (head === undefined) return fail(new WeirError('upstream_bad_response'));
          const declared = head.headers['content-length'];
          if (declared !== undefined && Number(declared) !== size) return fail(new WeirError('upstream_cut'));
          resolve({ ...head, text: Buffer.concat(chunks).toString('utf8'), url });
        },
        onError: fail,
      };
      const exchange = this.send(url, {}, handler, deadline);
    });
  }

  #headers(): Record<string, string> {
    const { via, authorization } = this.#options;
    const headers: Record<string, string> = { accept: '*/*', 'user-agent': `weir/${version}`, via };
    if (authorization !== undefined) headers['authorization'] = authorization;
    if (this.#cookies.size > 0) headers['cookie'] = [...this.#cookies].map((pair) => pair.join('=')).join('; ');
    return headers;
  }

  #keepCookies(lines: readonly string[] | string | undefined): void {
    for (const line of typeof lines === 'string' ? [lines] : (lines ?? [])) {
      const [pair = ''] = line.split(';', 1);
      const equals = pair.indexOf('=');
      const name = pair.slice(0, equals).trim();
      if (equals <= 0 || line.length > 4096) continue;
      if (/;\s*max-age\s*=\s*(0|-)/i.test(line)) this.#cookies.delete(name);
      else if (this.#cookies.has(name) || this.#cookies.size < mostCookies) {
        this.#cookies.set(name, pair.slice(equals + 1).trim());
      }
    }
  }
}
