// Who may play: asked for each request of a player, before its channel is touched.

import type { Config } from '../config-schema.js';
import type { AccessRefusal } from '../metrics.js';
import { Networks } from '../net-address.js';
import { covers, type Grant, type Key, readToken } from './token.js';

/** A player's request, as far as it matters who may play. */
export interface AccessRequest {
  /** Canonical. */
  readonly path: string;
  /** The part of the path that names the channel; undefined: no channel was found. */
  readonly stem: string | undefined;
  readonly channel: string | undefined;
  /** With its question mark, or empty. */
  readonly query: string;
  /** Of who asks. */
  readonly address: string;
  /** The same, of IPv6 its /64. */
  readonly client: string;
}

/** The player may play. */
export interface Admission {
  /** The request's query without the token: nothing that is shared or sent to an origin knows of it. */
  readonly query: string;
  /** The parameter with the token, which goes into each URI of the player's playlists; empty: there is none. */
  readonly carried: string;
  /** Epoch ms at which it ends. */
  readonly expiresAtMs: number;
  readonly viewer: string | undefined;
}

/** Tokens that were found to be signed, of which each viewer brings one several times a minute. */
const maxKnown = 10_000;

/** The rules of an edge. `configured` has to be called when its settings have changed. */
export class Access {
  readonly #settings: Config['access'];
  readonly #nowMs: () => number;
  #secrets: ReadonlyMap<string, string> = new Map();
  #allowed: Networks | undefined;
  #denied: Networks | undefined;
  /** The least recently used first. */
  readonly #known = new Map<string, Grant>();

  /** @param nowMs epoch ms */
  constructor(settings: Config['access'], nowMs: () => number) {
    this.#settings = settings;
    this.#nowMs = nowMs;
    this.configured();
  }

  /** Takes keys and networks from the settings again. */
  configured(): void {
    const { allow, deny } = this.#settings;
    this.#allowed = allow.length === 0 ? undefined : new Networks(allow);
    this.#denied = deny.length === 0 ? undefined : new Networks(deny);
    this.#secrets = new Map(parseKeys(this.#settings.keys ?? '').map(({ id, secret }) => [id, secret]));
    // One of them may have been signed with a key that is gone.
    this.#known.clear();
  }

  /** False where everybody may play everything. */
  get isInForce(): boolean {
    return this.#secrets.size > 0 || this.#allowed !== undefined || this.#denied !== undefined;
  }

  /** Whether the player may, or why not. To be asked only where rules are in force. */
  admit({ path, stem, channel, query, address, client }: AccessRequest): Admission | AccessRefusal {
    const { parameter, open } = this.#settings;
    if (this.#denied?.has(address) || this.#allowed?.has(address) === false) return 'network';
    const isOpen = channel !== undefined && open.some((pattern) => matches(pattern, channel));
    if (isOpen || this.#secrets.size === 0) {
      return { query, carried: '', expiresAtMs: Number.POSITIVE_INFINITY, viewer: undefined };
    }
    const { rest, tokens } = takeOut(query, `${parameter}=`);
    const [token] = tokens;
    if (token === undefined) return 'missing';
    // Of two it would be the one that the reader of a URL does not see.
    if (tokens.length > 1) return 'malformed';
    const grant = this.#read(token);
    if (typeof grant === 'string') return grant;
    if (this.#nowMs() >= grant.expiresAt * 1_000) return 'expired';
    if (stem !== undefined && !covers(grant.prefix, path, stem)) return 'elsewhere';
    if (grant.client !== undefined && grant.client !== client) return 'client';
    const { expiresAt, viewer } = grant;
    return { query: rest, carried: `${parameter}=${token}`, expiresAtMs: expiresAt * 1_000, viewer };
  }

  #read(token: string): Grant | AccessRefusal {
    const known = this.#known.get(token);
    if (known !== undefined) {
      this.#known.delete(token);
      this.#known.set(token, known);
      return known;
    }
    const grant = readToken(token, (id) => this.#secrets.get(id));
    if (typeof grant === 'string') return grant;
    this.#known.set(token, grant);
    const [oldest] = this.#known.size > maxKnown ? this.#known.keys() : [];
    if (oldest !== undefined) this.#known.delete(oldest);
    return grant;
  }
}

/** The keys of the setting `access.keys`, the one that signs first. */
export function parseKeys(text: string): Key[] {
  return text
    .split(/[\s,]/)
    .filter((entry) => entry !== '')
    .map((entry) => {
      const colon = entry.indexOf(':');
      return { id: entry.slice(0, colon), secret: entry.slice(colon + 1) };
    });
}

/** A name, or the beginning of one with `*` behind it. */
function matches(pattern: string, channel: string): boolean {
  return pattern.endsWith('*') ? channel.startsWith(pattern.slice(0, -1)) : channel === pattern;
}

/** A query without some of its parameters, and their values. */
function takeOut(query: string, start: string): { readonly rest: string; readonly tokens: readonly string[] } {
  if (!query.includes(start)) return { rest: query, tokens: [] };
  const tokens: string[] = [];
  const rest = query
    .slice(1)
    .split('&')
    .filter((piece) => {
      if (!piece.startsWith(start)) return true;
      tokens.push(piece.slice(start.length));
      return false;
    })
    .join('&');
  return { rest: rest === '' ? '' : `?${rest}`, tokens };
}
