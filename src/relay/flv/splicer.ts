// Makes one continuous stream from the tags of successive pulls: rewrites timestamps, leaves out headers that viewers have,
// and detects a source whose clock starts again.

import type { GopCache } from './gop-cache.js';
import { HeaderSlots } from './header-slots.js';
import { RecentFrames } from './recent-frames.js';
import { type FlvTag, tagType } from './tag.js';
import { type Jump, TagTimeline } from './timeline.js';
import { VideoPresence } from './video-presence.js';

/** What a pull brought so far: its headers, its group of pictures, and the group before that, where it has one. */
type Arrival = Pick<GopCache, 'headers' | 'previous' | 'tags'>;

interface Beginning {
  /** Headers that viewers have to be sent. */
  readonly headers: readonly FlvTag[];
  /** Tags to be given to `accept` before any new one. */
  readonly tags: readonly FlvTag[];
  /** The stream goes on as if nothing had happened: the group of pictures that viewers have is continued. */
  readonly seamless: boolean;
}

/** Media, in ms, from the first tag of a group to the newest of its track. */
function leadMsOf(tags: readonly FlvTag[]): number {
  const first = tags[0];
  if (first === undefined) return 0;
  const newest = tags.findLast((tag) => tag.type === first.type && tag.slot === undefined) ?? first;
  return (newest.timestamp - first.timestamp) | 0;
}

/** Fed with the tags of one pull after another, in their order; `begin` stands between two of them. */
export class Splicer {
  readonly #timeline = new TagTimeline();
  readonly #recent = new RecentFrames();
  readonly #now: () => number;
  readonly #onJump: (direction: Exclude<Jump, undefined>) => void;
  /** What viewers have of each header. */
  readonly #headers = new HeaderSlots();
  /** Monotonic ms at which the last media tag was passed on. */
  #lastAt: number | undefined;
  #video = new VideoPresence();
  /** Media is left out until a tag comes that a player can start with. */
  #awaitingStart = false;

  /**
   * @param now monotonic ms
   * @param onJump a source broke with its own clock
   */
  constructor(now: () => number, onJump: (direction: Exclude<Jump, undefined>) => void) {
    this.#now = now;
    this.#onJump = onJump;
  }

  /** Monotonic ms at which the last media tag was passed on. */
  get lastAt(): number | undefined {
    return this.#lastAt;
  }

  /** The last timestamp given out on a track. */
  last(type: FlvTag['type']): number {
    return this.#timeline.last(type);
  }

  /** Goes on with another pull and what it brought along. */
  begin(arrival: Arrival): Beginning {
    const { headers, tags } = arrival;
    const first = tags[0];
    this.#video = new VideoPresence();
    this.#awaitingStart = first === undefined;
    const known = this.#known(arrival);
    if (known !== undefined) this.#timeline.align(known.first, known.out);
    else if (first !== undefined) {
      this.#timeline.splice(first.type, first.timestamp, this.#elapsedMs(), leadMsOf(tags));
    }
    const changed = this.#changedHeaders(headers);
    const seamless = known !== undefined && changed.length === 0;
    // Who joins from now on gets only the headers of this pull: what another one brings back later is news to them.
    if (!seamless) this.#headers.keepOnly(headers);
    return { headers: changed, tags: known?.tags ?? tags, seamless };
  }

  /** Whether viewers have frames of what a pull brought along, so that it can go on and they do not notice. */
  recognises(arrival: Arrival): boolean {
    return this.#known(arrival) !== undefined;
  }

  /** Whether this is a picture that viewers had not been given before. */
  isNew(tag: FlvTag): boolean {
    return this.#recent.isNew(tag);
  }

  #changedHeaders(headers: readonly FlvTag[]): FlvTag[] {
    const changed = headers.filter((header) => header.slot !== 'metadata' && this.#isNews(header));
    // Metadata alone is no reason to disturb a player; a late joiner gets the current one.
    const all = changed.length === 0 ? [] : [...headers.filter((header) => header.slot === 'metadata'), ...changed];
    return all.flatMap((header) => this.#header(header) ?? []);
  }

  /** The tag as viewers get it, or undefined when they do not get it. */
  accept(tag: FlvTag): FlvTag | undefined {
    if (tag.slot !== undefined) return this.#header(tag);
    if (tag.type === tagType.script) return { ...tag, timestamp: this.#timeline.last(tag.type) };
    this.#video.add(tag);
    const jump = this.#awaitingStart ? undefined : this.#timeline.jump(tag.type, tag.timestamp, this.#elapsedMs());
    if (jump !== undefined) {
      this.#awaitingStart = true;
      this.#onJump(jump);
    }
    if (this.#awaitingStart) {
      if (!tag.keyframe && this.#video.there) return undefined;
      this.#awaitingStart = false;
      this.#timeline.splice(tag.type, tag.timestamp, this.#elapsedMs(), 0);
    }
    const timestamp = this.#timeline.map(tag.type, tag.timestamp);
    if (timestamp === undefined) return undefined;
    this.#lastAt = this.#now();
    const given = { ...tag, timestamp };
    this.#recent.add(given);
    return given;
  }

  /** The tags of which viewers have the first, and when they were given it; of several times that fit, the latest. */
  #known({ previous, tags }: Arrival) {
    for (const all of previous.length > 0 ? [[...previous, ...tags], tags] : [tags]) {
      const first = all[0]?.timestamp;
      const times = this.#recent.find(all);
      const out = times.findLast((time) => this.#timeline.fits(time, this.#elapsedMs(), leadMsOf(all)));
      if (first !== undefined && out !== undefined) return { tags: all, first, out };
    }
    return undefined;
  }

  #header(tag: FlvTag): FlvTag | undefined {
    if (!this.#isNews(tag)) return undefined;
    this.#headers.set(tag);
    return { ...tag, timestamp: this.#timeline.last(tag.type) };
  }

  #isNews(tag: FlvTag): boolean {
    return tag.slot !== undefined && !this.#headers.has(tag);
  }

  /** Since the last tag that viewers got. */
  #elapsedMs(): number {
    return this.#lastAt === undefined ? 0 : this.#now() - this.#lastAt;
  }
}
