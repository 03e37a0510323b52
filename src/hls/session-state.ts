// A session as plain data: what another process needs to go on where this one stops, so that players see the same numbers
// and addresses as before.

import type { ChannelName, ServiceAddress } from '../model.js';
import type { Epoch } from './epoch.js';
import type { PlaylistName } from './request.js';
import type { MediaWindow } from './window.js';

export interface SessionState {
  /** Whose session it is: `keyOf` its name. No credentials are in it. */
  readonly key: string;
  readonly channel: ChannelName;
  /** Where it comes from now: the next process stays there. */
  readonly endpoint: ServiceAddress | undefined;
  /** Its times are epoch ms: monotonic clocks begin with their process. */
  readonly epoch: Epoch;
  readonly renditions: readonly RenditionState[];
}

export interface RenditionState extends PlaylistName {
  /** Its times are epoch ms. */
  readonly window: MediaWindow;
}

/** @param shift what to add to the times of one clock to get those of the other */
export function shiftTimes(window: MediaWindow, shift: number): MediaWindow {
  const { grownAt, behindSince } = window;
  return {
    ...window,
    grownAt: grownAt + shift,
    behindSince: behindSince === undefined ? undefined : behindSince + shift,
  };
}

/** The same for what the renditions have in common. */
export function shiftEpoch(epoch: Epoch, shift: number): Epoch {
  const { seam } = epoch;
  return seam === undefined ? epoch : { ...epoch, seam: { ...seam, at: seam.at + shift } };
}

/** ms after which a state that only grew is told again; an older one still leads to the same numbers. */
const refreshAfter = 4_000;

/** Which states have to be told: at once those whose numbering is new, the others now and then. */
export class StateLog {
  readonly #told = new Map<string, { readonly numbering: string; readonly last: string; readonly at: number }>();

  /** @param now monotonic ms */
  due(states: readonly SessionState[], now: number): SessionState[] {
    const present = new Set(states.map(({ key }) => key));
    for (const key of this.#told.keys()) if (!present.has(key)) this.#told.delete(key);
    return states.filter((state) => {
      const before = this.#told.get(state.key);
      const numbering = numberingOf(state);
      const last = state.renditions.map(({ window }) => window.entries.at(-1)?.sequence).join(' ');
      const grown = before?.last !== last && now - (before?.at ?? 0) >= refreshAfter;
      if (before !== undefined && before.numbering === numbering && !grown) return false;
      this.#told.set(state.key, { numbering, last, at: now });
      return true;
    });
  }
}

function numberingOf({ endpoint, epoch, renditions }: SessionState): string {
  const offsets = renditions.map(({ rest, pin, window }) => `${rest} ${pin} ${window.epoch} ${window.offset}`);
  return [endpoint, epoch.number, ...offsets].join('\n');
}
