// What players see of one playlist of a session now: the window, and the text that is made of it.

import { WeirError } from '../errors.js';
import { type Epoch, isSameEpoch } from './epoch.js';
import { locate } from './locate.js';
import { renderMaster } from './master.js';
import type { MediaPlaylist } from './playlist.js';
import type { FetchedPlaylist } from './playlist-source.js';
import { advance, type Stepped } from './presentation.js';
import { renderWindow } from './render-window.js';
import { type Rendered, render } from './rendered.js';
import { mappingOf, type Round, stepOf } from './round.js';
import type { Session } from './session.js';
import type { MediaWindow } from './window.js';

export class Presented {
  readonly #session: Session;
  /** Path behind the stem. */
  readonly #rest: string;
  #window: MediaWindow | undefined;
  #rendered: Rendered | undefined;
  /** The delta update of what is sent now. */
  #delta: { readonly of: Rendered; readonly rendered: Rendered } | undefined;
  /** Monotonic ms since which the endpoint tells an end. */
  #endedSince: number | undefined;

  constructor(session: Session, rest: string) {
    this.#session = session;
    this.#rest = rest;
  }

  get window(): MediaWindow | undefined {
    return this.#window;
  }

  get rendered(): Rendered | undefined {
    return this.#rendered;
  }

  /** Bytes in memory, about: the text, also as it is sent, and what entries are made of besides what stands in it. */
  get bytes(): number {
    const texts = 4 * (this.#rendered?.text.length ?? 0) + 4 * (this.#delta?.rendered.text.length ?? 0);
    return texts + 500 * (this.#window?.entries.length ?? 0);
  }

  /** Goes on with what players saw elsewhere. */
  restore(window: MediaWindow): void {
    this.#window = window;
    this.#rendered = render('media', renderWindow(window), this.#session.context.now());
  }

  /** What an endpoint gave is what players see from now on. @param at monotonic ms for `Rendered.at` */
  take(round: Round, at: number): Rendered {
    const { attachment, fetched } = round;
    const { playlist } = fetched;
    if (playlist.kind === 'master') {
      const mapping = mappingOf(this.#session, attachment, this.#rest, fetched, '');
      const text = renderMaster(playlist, this.#rest, (uri, kind) => locate(uri, mapping, kind));
      this.#rendered = render('master', text, at, this.#rendered);
    } else {
      this.#window = this.#advance(round, fetched, playlist);
      this.#rendered = render('media', renderWindow(this.#window), at, this.#rendered);
    }
    return this.#rendered;
  }

  #advance(round: Round, fetched: FetchedPlaylist, playlist: MediaPlaylist): MediaWindow {
    const session = this.#session;
    const { attachment, step } = round;
    const before = session.epochAt(attachment);
    const allowEnd = this.#mayEnd(playlist);
    const { epoch, window } =
      this.#previewOf(round, before, playlist) ??
      advance(before, this.#window, playlist, {
        ...(step ?? stepOf(session, attachment, this.#rest, fetched)),
        allowEnd,
      });
    if (window === undefined)
      throw new WeirError('upstream_bad_response', { detail: 'The playlist lists no segment.' });
    session.epoch = epoch;
    return window;
  }

  /** What came of the playlist when it was judged still holds: a day of segments is not led through the edge twice. */
  #previewOf({ preview }: Round, epoch: Epoch, { ended }: MediaPlaylist): Stepped | undefined {
    // An end may be told now.
    if (preview === undefined || ended || preview.window !== this.#window) return undefined;
    return isSameEpoch(preview.epoch, epoch) ? preview.stepped : undefined;
  }

  /** An end is told when it has lasted: another endpoint may go on. */
  #mayEnd({ ended }: MediaPlaylist): boolean {
    const { now, settings } = this.#session.context;
    if (!ended) this.#endedSince = undefined;
    else this.#endedSince ??= now();
    const lasted = this.#endedSince !== undefined && now() - this.#endedSince >= settings.grace;
    return this.#window === undefined || lasted;
  }

  /** The playlist as a delta update, where the origin offers them (RFC 8216bis, section 6.2.5.1). */
  skipping(rendered: Rendered): Rendered {
    const window = this.#window;
    const until = window?.delivery.skipUntil;
    if (window === undefined || until === undefined || window.ended) return rendered;
    if (this.#delta?.of !== rendered) {
      const { of, rendered: before } = this.#delta ?? {};
      const text = before !== undefined && of?.text === rendered.text ? before.text : renderWindow(window, until);
      this.#delta = { of: rendered, rendered: render('media', text, rendered.at, before) };
    }
    return this.#delta.rendered;
  }

  /**
   * Whether this window lists that object among the newer ones of the endpoint with that tag. The oldest may be gone there
   * since the playlist was fetched.
   */
  lists(target: string, tag: string): boolean {
    const window = this.#window;
    if (window === undefined || window.source !== tag) return false;
    const { first, last } = window.origin;
    return window.entries.some(
      ({ target: own, origin }) => own === target && origin.source === tag && origin.sequence >= (first + last) / 2,
    );
  }
}
