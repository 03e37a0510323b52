// Gets a playlist of a channel from one endpoint, within the endpoint's own sessions. Where the endpoint knows a playlist
// only within a session that a multivariant playlist began, that one is fetched first.

import type { IncomingHttpHeaders } from 'node:http';
import { WeirError } from '../../errors.js';
import { mayBeForgotten } from '../../upstream/judge.js';
import { type MediaPlaylist, type MultivariantPlaylist, type Playlist, PlaylistError } from '../playlist/model.js';
import { parsePlaylist } from '../playlist/parser.js';
import { findVariant, sessionVariant, variantUris } from '../presentation/multivariant.js';
import { merge, nameOf, pieces } from '../url/query.js';
import type { VariantPin } from '../url/variant-pin.js';
import type { OriginClient, TextAnswer } from './origin-client.js';

export interface PlaylistRequest {
  /** What follows the stem. */
  readonly suffix: string;
  /** The origin's own part of the query, as a playlist of the edge listed it. */
  readonly originQuery: string;
  readonly variant: VariantPin | undefined;
  /** The player's own part of the query. */
  readonly own: string;
  /** ms for all of it. */
  readonly deadlineMs: number;
}

export interface FetchedPlaylist {
  readonly playlist: Playlist;
  readonly base: URL;
  readonly headers: IncomingHttpHeaders;
  /** Parameters of its URIs that are the edge's own matter. */
  readonly hidden: ReadonlySet<string>;
}

/** The endpoint answered, but not with a playlist. */
export class StatusError extends Error {
  override readonly name: string = 'StatusError';
  readonly status: number;

  constructor(status: number) {
    super(`The endpoint answered ${status}.`);
    this.status = status;
  }
}

/** The same, but it concerns only the player who asked: the playlist stays good for all others. */
export class RefusedError extends StatusError {}

/** Texts kept of one endpoint for a session, and the longest one. */
const maxKeptTexts = 16;
const maxKeptChars = 256 * 1024;
/** Bytes of an answer beside its text, and of a variant's URL beside its characters. */
const answerOverheadBytes = 1024;
const variantOverheadBytes = 256;

interface KnownMultivariant {
  readonly from: string;
  readonly variants: readonly URL[];
}

/** The playlists of one endpoint, for one session. */
export class PlaylistLoader {
  readonly origin: OriginClient;
  /**
   * Multivariant playlists of this endpoint, by their path behind the stem: their variants, and where they came from.
   */
  readonly #multivariants = new Map<string, KnownMultivariant>();

  /** Answers with a validator, by their URL, the least recently asked for first. */
  readonly #answers = new Map<string, TextAnswer>();

  constructor(origin: OriginClient) {
    this.origin = origin;
  }

  /** Bytes in memory of what is remembered, about. */
  get bytes(): number {
    let { bytes } = this.origin;
    for (const { bytes: size } of this.#answers.values()) bytes += answerOverheadBytes + size;
    for (const { variants } of this.#multivariants.values()) {
      for (const { href } of variants) bytes += variantOverheadBytes + href.length;
    }
    return bytes;
  }

  /**
   * @param extra query of a low-latency request, in the origin's numbers
   * @throws WeirError for a failed request or a text that is no playlist; StatusError for any status but 200
   */
  async fetch(request: PlaylistRequest, extra = ''): Promise<FetchedPlaylist> {
    const { variant } = request;
    const known = variant !== undefined && this.#multivariants.has(variant.multivariant);
    try {
      return await this.#fetch(request, extra);
    } catch (error) {
      const lost = error instanceof StatusError && mayBeForgotten(error.status);
      if (!lost || variant === undefined || !known) throw error;
      this.#multivariants.delete(variant.multivariant);
      return this.#fetch(request, extra);
    }
  }

  async #fetch(request: PlaylistRequest, extra: string): Promise<FetchedPlaylist> {
    const { own, deadlineMs } = request;
    const place = await this.#locate(request);
    const url = withQuery(place, merge(merge(place.search.slice(1), extra), own));
    let answer = await this.#ask(url, deadlineMs, extra === '');
    for (let hop = 0; hop < 2; hop += 1) {
      const playlist = parse(answer.text);
      const { url: base, headers } = answer;
      if (playlist.kind === 'media') return { playlist, base, headers, hidden: this.#hiddenIn(playlist, base) };
      const session = sessionVariant(playlist, answer.url);
      if (session === undefined) {
        this.#keepMultivariant(request.suffix, playlist, answer);
        return { playlist, base, headers, hidden: this.origin.hidden };
      }
      this.origin.adopt(session.search.slice(1), true);
      const there = withQuery(session, merge(merge(session.search.slice(1), extra), own));
      answer = await this.#ask(there, deadlineMs, extra === '');
    }
    throw new WeirError('upstream_bad_response', {
      detail: 'The endpoint answers a playlist with a multivariant playlist again and again.',
    });
  }

  async #locate(request: PlaylistRequest): Promise<URL> {
    const { suffix, originQuery, variant, own, deadlineMs } = request;
    const direct = this.origin.url(suffix, originQuery);
    if (variant === undefined) return direct;
    if (!this.#multivariants.has(variant.multivariant)) {
      // When it fails or is no multivariant playlist, the variant's own URL is tried.
      await this.#fetch(
        { suffix: variant.multivariant, originQuery: '', variant: undefined, own, deadlineMs },
        '',
      ).catch((error) => {
        if (error instanceof WeirError) throw error;
      });
    }
    const known = this.#multivariants.get(variant.multivariant);
    const found = known === undefined ? undefined : findVariant(known.variants, direct.pathname, variant.index);
    // A variant at another server was never given a URL of this endpoint: the one found is another variant.
    return found?.origin === this.origin.base || found?.origin === known?.from ? (found ?? direct) : direct;
  }

  #keepMultivariant(suffix: string, multivariant: MultivariantPlaylist, answer: TextAnswer): void {
    const variants = variantUris(multivariant)
      .filter((uri) => URL.canParse(uri, answer.url.href))
      .map((uri) => new URL(uri, answer.url.href));
    for (const variant of variants) {
      if (variant.origin === answer.url.origin) this.origin.adopt(variant.search.slice(1), false);
    }
    if (this.#multivariants.size >= 16) this.#multivariants.clear();
    this.#multivariants.set(suffix, { from: answer.url.origin, variants });
  }

  /**
   * A session parameter with the same value in all segments goes with every request from now on, and players do not see
   * it. A parameter whose value differs between segments is no session: players see it.
   */
  #hiddenIn({ segments }: MediaPlaylist, base: URL): ReadonlySet<string> {
    const { hidden } = this.origin;
    const agreed = new Map<string, string>();
    const visible = new Set<string>();
    for (const { uri } of segments) {
      const at = uri.indexOf('?');
      if (at === -1) continue;
      const query = uri.slice(at + 1).split('#', 1)[0] ?? '';
      if (query === '' || (uri.includes('://') && !uri.startsWith(`${base.origin}/`))) continue;
      for (const piece of pieces(query)) {
        const name = nameOf(piece);
        if (!hidden.has(name)) continue;
        if ((agreed.get(name) ?? piece) !== piece) visible.add(name);
        agreed.set(name, piece);
      }
    }
    for (const name of visible) agreed.delete(name);
    if (agreed.size > 0 && base.origin === this.origin.base) this.origin.adopt([...agreed.values()].join('&'), false);
    return visible.size === 0 ? hidden : new Set([...hidden].filter((name) => !visible.has(name)));
  }

  /** @param again whether it will be asked for again: not what a low-latency player waits for */
  async #ask(url: URL, deadlineMs: number, again: boolean): Promise<TextAnswer> {
    const known = again ? this.#answers.get(url.href) : undefined;
    const etag = known?.headers.etag;
    const answer = await this.origin.text(url, deadlineMs, etag === undefined ? {} : { 'if-none-match': etag });
    if (answer.status === 304 && known !== undefined) {
      return this.#keep(url, { ...known, headers: { ...known.headers, ...answer.headers } });
    }
    if (answer.status !== 200) throw new StatusError(answer.status);
    return again ? this.#keep(url, answer) : answer;
  }

  #keep({ href }: URL, answer: TextAnswer): TextAnswer {
    this.#answers.delete(href);
    if (answer.headers.etag === undefined || answer.bytes > maxKeptChars) return answer;
    this.#answers.set(href, answer);
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= maxKeptTexts) break;
      this.#answers.delete(oldest);
    }
    return answer;
  }
}

function withQuery(url: URL, query: string): URL {
  const target = new URL(url.href);
  target.search = query;
  return target;
}

function parse(text: string): Playlist {
  try {
    return parsePlaylist(text);
  } catch (error) {
    if (!(error instanceof PlaylistError)) throw error;
    throw new WeirError('upstream_bad_response', {
      detail: `The endpoint's playlist is malformed: ${error.message}.`,
      cause: error,
    });
  }
}
