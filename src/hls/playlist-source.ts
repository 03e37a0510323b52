// Gets a playlist of a channel from one endpoint: through the endpoint's own sessions, and from the master that lists it, where
// the endpoint knows it only so.

import type { IncomingHttpHeaders } from 'node:http';
import { WeirError } from '../errors.js';
import { findVariant, sessionVariant, variantUris } from './master.js';
import type { Origin, TextAnswer } from './origin.js';
import type { VariantPin } from './pin.js';
import { type MasterPlaylist, type Playlist, PlaylistError } from './playlist.js';
import { parsePlaylist } from './playlist-parser.js';
import { merge } from './query.js';

export interface PlaylistRequest {
  /** What follows the stem. */
  readonly rest: string;
  /** The origin's own part of the query, as a playlist of the edge listed it. */
  readonly origins: string;
  readonly variant: VariantPin | undefined;
  /** The player's own part of the query. */
  readonly own: string;
  /** ms for all of it. */
  readonly deadline: number;
}

export interface FetchedPlaylist {
  readonly playlist: Playlist;
  readonly base: URL;
  readonly headers: IncomingHttpHeaders;
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

/** The same, and it is the matter of the player who asked: nobody else's playlist is the worse for it. */
export class RefusedError extends StatusError {}

/** Answers that a session which the endpoint has forgotten gets. */
const sessionLost = new Set([400, 401, 403, 404, 410]);

export class PlaylistSource {
  readonly origin: Origin;
  /** Variants of masters at this endpoint, by the master's path behind the stem, and where it came from. */
  readonly #masters = new Map<string, { readonly from: string; readonly variants: readonly URL[] }>();

  constructor(origin: Origin) {
    this.origin = origin;
  }

  /**
   * @param extra query of a low-latency request, in the origin's numbers
   * @throws WeirError for a failed request or a text that is no playlist; StatusError for any status but 200
   */
  async fetch(request: PlaylistRequest, extra = ''): Promise<FetchedPlaylist> {
    const { variant } = request;
    const known = variant !== undefined && this.#masters.has(variant.master);
    try {
      return await this.#fetch(request, extra);
    } catch (error) {
      const lost = error instanceof StatusError && sessionLost.has(error.status);
      if (!lost || variant === undefined || !known) throw error;
      this.#masters.delete(variant.master);
      return this.#fetch(request, extra);
    }
  }

  async #fetch(request: PlaylistRequest, extra: string): Promise<FetchedPlaylist> {
    const { own, deadline } = request;
    const place = await this.#locate(request);
    const url = withQuery(place, merge(merge(place.search.slice(1), extra), own));
    let answer = await this.#ask(url, deadline);
    for (let hop = 0; hop < 2; hop += 1) {
      const playlist = parse(answer.text);
      if (playlist.kind === 'media') return { playlist, base: answer.url, headers: answer.headers };
      const session = sessionVariant(playlist, answer.url);
      if (session === undefined) {
        this.#keepMaster(request.rest, playlist, answer);
        return { playlist, base: answer.url, headers: answer.headers };
      }
      this.origin.adopt(session.search.slice(1), true);
      answer = await this.#ask(withQuery(session, merge(merge(session.search.slice(1), extra), own)), deadline);
    }
    throw new WeirError('upstream_bad_response', {
      detail: 'The endpoint answers a playlist with a master again and again.',
    });
  }

  async #locate(request: PlaylistRequest): Promise<URL> {
    const { rest, origins, variant, own, deadline } = request;
    const direct = this.origin.url(rest, origins);
    if (variant === undefined) return direct;
    if (!this.#masters.has(variant.master)) {
      // Should it fail or be no master, the variant's own URL is as good as anything.
      await this.#fetch({ rest: variant.master, origins: '', variant: undefined, own, deadline }, '').catch((error) => {
        if (error instanceof WeirError) throw error;
      });
    }
    const known = this.#masters.get(variant.master);
    const found = known === undefined ? undefined : findVariant(known.variants, direct.pathname, variant.index);
    // Nobody was led here for what is elsewhere.
    return found?.origin === this.origin.base || found?.origin === known?.from ? (found ?? direct) : direct;
  }

  #keepMaster(rest: string, master: MasterPlaylist, answer: TextAnswer): void {
    const variants = variantUris(master)
      .filter((uri) => URL.canParse(uri, answer.url.href))
      .map((uri) => new URL(uri, answer.url.href));
    for (const variant of variants) {
      if (variant.origin === answer.url.origin) this.origin.adopt(variant.search.slice(1), false);
    }
    if (this.#masters.size >= 16) this.#masters.clear();
    this.#masters.set(rest, { from: answer.url.origin, variants });
  }

  async #ask(url: URL, deadline: number): Promise<TextAnswer> {
    const answer = await this.origin.text(url, deadline);
    if (answer.status !== 200) throw new StatusError(answer.status);
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
