// The edge as a client of one endpoint, for all players of a session. An endpoint may require a session of its own (a
// cookie, a query): it is kept here, and players never see it. Redirects are followed.

import type { IncomingHttpHeaders } from 'node:http';
import { WeirError } from '../../errors.js';
import type { ServerOrigin, ServiceAddress } from '../../model.js';
import { serverOf } from '../../net-address.js';
import { version } from '../../package.js';
import type { Exchange, UpstreamClient, UpstreamHandler } from '../../upstream/client.js';
import { decodeBody } from '../../upstream/content-coding.js';
import { isSafePath } from '../../upstream/path.js';
import { redirectTarget } from '../../upstream/redirect.js';
import { type UpstreamTarget, upstreamTarget } from '../../upstream/target.js';
import { owned } from '../presentation/owned-text.js';
import { merge, nameOf, pieces } from '../url/query.js';

export interface OriginClientOptions {
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
  /** Bytes in memory of the text. */
  readonly bytes: number;
  /** Where it came from in the end. */
  readonly url: URL;
}

export interface SendOptions {
  /** ms, where the setting does not fit. */
  readonly firstByteTimeoutMs?: number;
  /** The request is redirected, and goes on there. */
  readonly onRedirect?: (to: URL) => void;
}

/** Bytes, sent and decoded. */
const maxTextBytes = 4 * 1024 * 1024;
const maxCookies = 16;
const cookieOverheadBytes = 200;
/** Names of parameters that an endpoint may make its session, and UTF-16 units of all of them. */
const maxParameters = 16;
const maxSessionChars = 16 * 1024;

/** It keeps the endpoint's session: cookies, and parameters that are its own. */
export class OriginClient {
  readonly #options: OriginClientOptions;
  readonly #server: ServerOrigin;
  /** Of the endpoint, and of servers that it redirects to: each gets its own. By server and name. */
  readonly #cookies = new Map<string, { readonly server: ServerOrigin; readonly pair: string }>();
  #session = '';
  /** Names of parameters that belong to the session. */
  readonly hidden: Set<string>;
  /** The origin of its URLs. */
  readonly base: string;

  constructor(options: OriginClientOptions) {
    this.#options = options;
    this.hidden = new Set(options.sessionParameters);
    this.#server = serverOf(options.address);
    this.base = new URL(this.#server).origin;
  }

  get address(): ServiceAddress {
    return this.#options.address;
  }

  /** Path at this endpoint, without a query, for what follows the stem. */
  forward(suffix: string): string {
    return this.#target(suffix, '').split('?', 1)[0] ?? '';
  }

  /** @throws WeirError bad_request for a path that would lead out of what the endpoint registered (dot segments) */
  url(suffix: string, query: string): URL {
    if (!isSafePath(suffix)) throw new WeirError('bad_request', { detail: 'That path leads elsewhere.' });
    return new URL(this.#target(suffix, query), this.base);
  }

  /**
   * The URL of an object, from what its pin says: a path at this endpoint, or a whole URL at a server that it redirected
   * to.
   */
  urlOf(suffix: string, original: string): URL {
    if (!original.startsWith('/')) return new URL(original);
    const url = this.url(suffix, '');
    url.pathname = original;
    return url;
  }

  #target(suffix: string, query: string): string {
    const { channel, stem } = this.#options;
    return upstreamTarget(this.address, {
      channel,
      path: stem + suffix,
      suffix,
      query: query === '' ? '' : `?${query}`,
    }).path;
  }

  /** Bytes in memory of what the endpoint wants to hear with every request, about. */
  get bytes(): number {
    let bytes = this.#session.length;
    for (const { pair } of this.#cookies.values()) bytes += cookieOverheadBytes + pair.length;
    return bytes;
  }

  /** The parameters of `query` that are a session from now on go with every request, as many as a session may have. */
  adopt(query: string, all: boolean): void {
    const most = this.#options.sessionParameters.size + maxParameters;
    const found = pieces(query).filter((piece) => {
      const name = nameOf(piece);
      if (all && this.hidden.size < most) this.hidden.add(owned(name));
      return this.hidden.has(name);
    });
    const session = merge(found.join('&'), this.#session);
    if (session.length <= maxSessionChars) this.#session = owned(session);
  }

  /** Asks here, or at a server that the endpoint redirected to; redirects are followed. */
  send(url: URL, headers: Record<string, string>, handler: UpstreamHandler, options: SendOptions = {}): Exchange {
    const { server, path } = this.#place(url);
    const { firstByteTimeoutMs, onRedirect } = options;
    return this.#options.client.send(
      {
        server,
        path,
        method: 'GET',
        headers: { ...this.#headers(server), ...headers },
        ...(firstByteTimeoutMs === undefined ? {} : { firstByteTimeoutMs }),
        follow: ({ from, headers: answer, to }) => {
          this.#keepCookies(from, answer['set-cookie']);
          onRedirect?.(new URL(to.path, to.server));
          return { ...this.#headers(to.server), ...headers };
        },
      },
      handler,
    );
  }

  #place(url: URL): UpstreamTarget {
    const query = merge(url.search.slice(1), this.#session);
    const path = query === '' ? url.pathname : `${url.pathname}?${query}`;
    return url.origin === this.base
      ? { server: this.#server, path }
      : redirectTarget(url.origin + path, { server: this.#server, path: '/' });
  }

  /**
   * Fetches a text whole and decoded, following redirects.
   *
   * @param deadlineMs for the whole answer
   * @param conditions header fields that ask only whether a known copy still holds
   * @throws WeirError of the upstream client; upstream_bad_response for a text that is too long or does not decode
   */
  async text(url: URL, deadlineMs: number, conditions: Record<string, string> = {}): Promise<TextAnswer> {
    const { body, ...answer } = await this.#fetch(url, deadlineMs, conditions);
    const bytes = await decodeBody(body, answer.headers['content-encoding'], maxTextBytes);
    const text = bytes.toString('utf8');
    // V8 gives each character two bytes once one of them needs it.
    return { ...answer, text, bytes: bytes.length > text.length ? 2 * text.length : text.length };
  }

  #fetch(
    url: URL,
    deadlineMs: number,
    conditions: Record<string, string>,
  ): Promise<Omit<TextAnswer, 'text' | 'bytes'> & { readonly body: Buffer }> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let size = 0;
      let head: { status: number; headers: IncomingHttpHeaders } | undefined;
      let place = url;
      const fail = (error: WeirError) => {
        clearTimeout(timer);
        exchange.abort();
        reject(error);
      };
      const timer = setTimeout(() => fail(new WeirError('upstream_first_byte_timeout')), deadlineMs);
      const handler: UpstreamHandler = {
        onResponse: (status, headers) => {
          head = { status, headers };
          this.#keepCookies(this.#place(place).server, headers['set-cookie']);
        },
        onData: (chunk) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size > maxTextBytes)
            fail(new WeirError('upstream_bad_response', { detail: 'The playlist is too long.' }));
          return true;
        },
        onEnd: () => {
          clearTimeout(timer);
          if (head === undefined) return fail(new WeirError('upstream_bad_response'));
          const declared = head.headers['content-length'];
          if (declared !== undefined && Number(declared) !== size) return fail(new WeirError('upstream_cut'));
          resolve({ ...head, body: Buffer.concat(chunks), url: place });
        },
        onError: fail,
      };
      const onRedirect = (to: URL) => {
        place = to;
      };
      const exchange = this.send(url, conditions, handler, { firstByteTimeoutMs: deadlineMs, onRedirect });
    });
  }

  /** Each server gets only the credentials and the session that are meant for it. */
  #headers(server: ServerOrigin): Record<string, string> {
    const { via, authorization } = this.#options;
    const headers: Record<string, string> = {
      accept: '*/*',
      'accept-encoding': 'identity',
      'user-agent': `weir/${version}`,
      via,
    };
    if (authorization !== undefined && server === this.#server) headers['authorization'] = authorization;
    const cookies = [...this.#cookies.values()].filter((cookie) => cookie.server === server);
    if (cookies.length > 0) headers['cookie'] = cookies.map(({ pair }) => pair).join('; ');
    return headers;
  }

  #keepCookies(server: ServerOrigin, lines: readonly string[] | string | undefined): void {
    for (const line of typeof lines === 'string' ? [lines] : (lines ?? [])) {
      const [pair = ''] = line.split(';', 1);
      const equals = pair.indexOf('=');
      const name = pair.slice(0, equals).trim();
      if (equals <= 0 || line.length > 4096) continue;
      const key = `${server} ${name}`;
      if (/;\s*max-age\s*=\s*(0|-)/i.test(line)) this.#cookies.delete(key);
      else if (this.#cookies.has(key) || this.#cookies.size < maxCookies) {
        this.#cookies.set(key, { server, pair: `${name}=${pair.slice(equals + 1).trim()}` });
      }
    }
  }
}
