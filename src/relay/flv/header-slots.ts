// Pure: the latest tag of each header slot, which a late joiner needs before any media.

import type { FlvTag } from './tag.js';

/** More than any stream needs; it bounds a hostile origin. */
const maxSlots = 32;
/** Of bodies. Sequence headers have hundreds, onMetaData with an index of keyframes some ten thousand. */
const maxHeaderBytes = 512 * 1024;

/** Bounded in number and bytes: a header beyond that is not kept, and is to its viewers a tag like any other. */
export class HeaderSlots {
  readonly #tags = new Map<string, FlvTag>();
  #bytes = 0;

  /** Metadata first. */
  get all(): FlvTag[] {
    const all = [...this.#tags.values()];
    return [...all.filter((tag) => tag.slot === 'metadata'), ...all.filter((tag) => tag.slot !== 'metadata')];
  }

  /** Whether the latest tag of its slot has the same content. */
  has(tag: FlvTag): boolean {
    return tag.slot !== undefined && this.#tags.get(tag.slot)?.body.equals(tag.body) === true;
  }

  /** Keeps a copy: a view would keep the whole chunk that the tag came in. */
  set(tag: FlvTag): void {
    const { slot } = tag;
    if (slot === undefined || this.has(tag)) return;
    const known = this.#tags.get(slot);
    const bytes = this.#bytes - (known?.body.length ?? 0) + tag.body.length;
    if ((known === undefined && this.#tags.size >= maxSlots) || bytes > maxHeaderBytes) {
      this.#delete(slot);
      return;
    }
    this.#bytes = bytes;
    this.#tags.set(slot, { ...tag, body: Buffer.from(tag.body) });
  }

  /** Forgets the slots that are not among these tags. */
  keepOnly(tags: readonly FlvTag[]): void {
    const slots = new Set(tags.map(({ slot }) => slot));
    for (const slot of [...this.#tags.keys()]) if (!slots.has(slot)) this.#delete(slot);
  }

  #delete(slot: string): void {
    this.#bytes -= this.#tags.get(slot)?.body.length ?? 0;
    this.#tags.delete(slot);
  }
}
