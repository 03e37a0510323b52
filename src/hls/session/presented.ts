// What players see of one playlist of a session: the window, and the text that is made of it.

import { WeirError } from '../../errors.js';
import type { MediaPlaylist, MultivariantPlaylist } from '../playlist/model.js';
import { type Entry, type MediaWindow, windowBytes } from '../presentation/live-window.js';
import { renderMultivariant } from '../presentation/multivariant.js';
import { renderWindow } from '../presentation/render-window.js';
import { type Rendered, render, renderedBytes } from '../presentation/rendered.js';
import { locate } from '../url/rewrite.js';
import { type MappedFor, mappingOf } from './mapping.js';
import type { OriginLink } from './origin-link.js';
import type { FetchedPlaylist } from './playlist-loader.js';
import type { SessionContext } from './session-context.js';
import type { PeriodTimeline, Proposal } from './timeline.js';

/** What it needs of its session. */
export interface PresentedParts extends MappedFor {
  readonly context: MappedFor['context'] &
    Pick<SessionContext, 'now' | 'clock'> & { readonly settings: Pick<SessionContext['settings'], 'grace'> };
  readonly timeline: PeriodTimeline;
  readonly objects: { isLost(entry: Entry): boolean };
}

/** It changes by `publish`, `publishMultivariant` and `restore` alone. */
export class Presented {
  readonly #parts: PresentedParts;
  /** Path behind the stem. */
  readonly #suffix: string;
  /** Its name in plans. */
  readonly #list: string;
  #window: MediaWindow | undefined;
  #rendered: Rendered | undefined;
  /** The delta update of what is sent now. */
  #delta: { readonly of: Rendered; readonly rendered: Rendered } | undefined;
  /** Monotonic ms since which the endpoint's playlist says that it has ended. */
  #endedSince: number | undefined;

  /** @param list `listName` of the playlist */
  constructor(parts: PresentedParts, suffix: string, list = '') {
    this.#parts = parts;
    this.#suffix = suffix;
    this.#list = list;
  }

  /** Its name in plans. */
  get list(): string {
    return this.#list;
  }

  get window(): MediaWindow | undefined {
    return this.#window;
  }

  get rendered(): Rendered | undefined {
    return this.#rendered;
  }

  /** Bytes in memory, about. */
  get bytes(): number {
    if (this.#rendered === undefined) return 0;
    const delta = this.#delta === undefined ? 0 : renderedBytes(this.#delta.rendered);
    const window = this.#window === undefined ? 0 : windowBytes(this.#window, this.#rendered.bytesPerChar);
    return renderedBytes(this.#rendered) + delta + window;
  }

  /** Goes on with what players saw elsewhere. */
  restore(window: MediaWindow): void {
    this.#window = window;
    this.#rendered = render('media', renderWindow(window), this.#parts.context.now());
  }

  /**
   * What players would see once this endpoint's playlist counts. Changes nothing.
   *
   * @param bytesDiffer the endpoint's bytes differ from those of the one before for a segment that both list
   * @throws WeirError upstream_bad_response for a playlist that comes to more text than one may have
   */
  propose(link: OriginLink, fetched: FetchedPlaylist, playlist: MediaPlaylist, bytesDiffer: boolean): Proposal {
    const { context, timeline, objects } = this.#parts;
    return timeline.propose({
      source: link.tag,
      list: this.#list,
      window: this.#window,
      playlist,
      step: {
        now: context.now(),
        allowEnd: this.#mayEnd(playlist),
        bytesDiffer,
        nextIncarnation: Math.floor(context.clock()).toString(36),
        locate: (incarnation) => {
          const mapping = mappingOf(this.#parts, link, this.#suffix, fetched, incarnation);
          return (uri, kind) => locate(uri, mapping, kind);
        },
        lost: (entry) => objects.isLost(entry),
      },
    });
  }

  /**
   * What was proposed is what players see from now on. Its endpoint has to be the session's.
   *
   * @param at monotonic ms for `Rendered.at`
   * @throws WeirError upstream_bad_response when there never was a segment
   */
  publish(proposal: Proposal, at: number): Rendered {
    const { stepped, playlist } = this.#commit(proposal);
    if (stepped.window === undefined) {
      throw new WeirError('upstream_bad_response', { detail: 'The playlist lists no segment.' });
    }
    this.#endedSince = playlist.ended ? (this.#endedSince ?? this.#parts.context.now()) : undefined;
    this.#window = stepped.window;
    this.#rendered = render('media', renderWindow(stepped.window), at, this.#rendered);
    return this.#rendered;
  }

  #commit(proposal: Proposal): Proposal {
    const { timeline } = this.#parts;
    const current = proposal.window === this.#window;
    if (current && timeline.commit(proposal)) return proposal;
    // Another playlist of the session, or another answer to this one, came first.
    const again = this.again(proposal);
    if (timeline.commit(again) || this.#window === undefined) return again;
    // The plan of the channel does not say so yet.
    return { ...again, stepped: { ...again.stepped, change: 'waiting', window: this.#window, appended: [] } };
  }

  /** The same proposal as things are now. */
  again(proposal: Proposal): Proposal {
    const step = { ...proposal.step, now: this.#parts.context.now(), allowEnd: this.#mayEnd(proposal.playlist) };
    return this.#parts.timeline.propose({ ...proposal, window: this.#window, step });
  }

  /**
   * A multivariant playlist is made anew each time.
   *
   * @throws WeirError upstream_bad_response for a text that would be too long
   */
  publishMultivariant(
    link: OriginLink,
    fetched: FetchedPlaylist,
    playlist: MultivariantPlaylist,
    at: number,
  ): Rendered {
    const mapping = mappingOf(this.#parts, link, this.#suffix, fetched, '');
    const text = renderMultivariant(playlist, this.#suffix, (uri, kind) => locate(uri, mapping, kind));
    this.#rendered = render('multivariant', text, at, this.#rendered);
    return this.#rendered;
  }

  /** Players see an end only after it has lasted for the grace: another endpoint may go on. */
  #mayEnd({ ended }: MediaPlaylist): boolean {
    if (!ended || this.#window === undefined) return true;
    const { now, settings } = this.#parts.context;
    return now() - (this.#endedSince ?? now()) >= settings.grace;
  }

  /** The playlist as a delta update, where the origin offers them (RFC 8216bis, section 6.2.5.1). */
  skipping(rendered: Rendered): Rendered {
    const window = this.#window;
    const until = window?.delivery.skipUntilSeconds;
    if (window === undefined || until === undefined || window.ended) return rendered;
    if (this.#delta?.of !== rendered) {
      const { of, rendered: before } = this.#delta ?? {};
      const text = before !== undefined && of?.text === rendered.text ? before.text : renderWindow(window, until);
      this.#delta = { of: rendered, rendered: render('media', text, rendered.at, before) };
    }
    return this.#delta.rendered;
  }

  /**
   * Whether this window lists that object among the newer ones of the endpoint with that tag. The oldest may be gone
   * there since the playlist was fetched.
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
