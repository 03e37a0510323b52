// Watches one live media playlist as a player does, reload by reload, and says which rules of RFC 8216 (sections 4.3.3, 6.2.1
// and 6.2.2) and of players were broken. It reads the text by itself: a fault of weir's own parser must not hide here.

export interface CheckedSegment {
  readonly sequence: number;
  readonly discontinuitySequence: number;
  readonly discontinuity: boolean;
  readonly duration: number;
  readonly uri: string;
  readonly range: string | undefined;
  readonly key: string;
  readonly map: string | undefined;
}

export interface CheckedPlaylist {
  readonly targetDuration: number;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly ended: boolean;
  readonly segments: readonly CheckedSegment[];
}

export function readMediaPlaylist(text: string): CheckedPlaylist {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines[0] !== '#EXTM3U') throw new Error('does not begin with #EXTM3U');
  const single = (name: string) => {
    const found = lines.filter((line) => line.startsWith(`#${name}:`));
    if (found.length > 1) throw new Error(`${found.length} times ${name}`);
    return found[0]?.slice(name.length + 2);
  };
  const targetDuration = Number(single('EXT-X-TARGETDURATION') ?? Number.NaN);
  if (!Number.isInteger(targetDuration)) throw new Error('no integer EXT-X-TARGETDURATION');
  const mediaSequence = Number(single('EXT-X-MEDIA-SEQUENCE') ?? 0);
  const discontinuitySequence = Number(single('EXT-X-DISCONTINUITY-SEQUENCE') ?? 0);
  single('EXT-X-VERSION');
  const segments: CheckedSegment[] = [];
  let current = discontinuitySequence;
  let discontinuity = false;
  let duration = Number.NaN;
  let range: string | undefined;
  let keys: string[] = [];
  let map: string | undefined;
  for (const line of lines) {
    if (line.startsWith('#EXTINF:')) duration = Number.parseFloat(line.slice(8));
    else if (line === '#EXT-X-DISCONTINUITY') {
      discontinuity = true;
      current += 1;
    } else if (line.startsWith('#EXT-X-BYTERANGE:')) range = line.slice(17);
    else if (line.startsWith('#EXT-X-KEY:')) keys = line.includes('METHOD=NONE') ? [] : [line];
    else if (line.startsWith('#EXT-X-MAP:')) map = line;
    else if (!line.startsWith('#')) {
      const sequence = mediaSequence + segments.length;
      // The number is the initialisation vector where none is written.
      const key = keys.map((text) => (text.includes('IV=') ? text : `${text} IV by number ${sequence}`)).join('|');
      segments.push({
        sequence,
        discontinuitySequence: current,
        discontinuity,
        duration,
        uri: line,
        range,
        key,
        map,
      });
      discontinuity = false;
      duration = Number.NaN;
      range = undefined;
    }
  }
  return { targetDuration, mediaSequence, discontinuitySequence, ended: lines.includes('#EXT-X-ENDLIST'), segments };
}

export class LivePlaylistChecker {
  readonly violations: string[] = [];
  readonly #known = new Map<number, CheckedSegment>();
  readonly #numbers = new Map<string, number>();
  #previous: CheckedPlaylist | undefined;
  /** Reloads in which the target duration grew, which only a longer segment excuses. */
  targetGrowths = 0;

  /** Every segment ever listed, by its number. */
  get known(): ReadonlyMap<number, CheckedSegment> {
    return this.#known;
  }

  get last(): CheckedPlaylist | undefined {
    return this.#previous;
  }

  see(text: string): CheckedPlaylist | undefined {
    let playlist: CheckedPlaylist;
    try {
      playlist = readMediaPlaylist(text);
    } catch (error) {
      this.#say(`unreadable: ${(error as Error).message}`);
      return undefined;
    }
    this.#checkItself(playlist);
    if (this.#previous !== undefined) this.#checkAgainst(this.#previous, playlist);
    for (const segment of playlist.segments) this.#checkSegment(segment);
    this.#previous = playlist;
    return playlist;
  }

  #say(what: string): void {
    this.violations.push(what);
  }

  #checkItself(playlist: CheckedPlaylist): void {
    if (playlist.segments.length === 0) this.#say('lists no segment: fatal for hls.js');
    for (const segment of playlist.segments) {
      if (!Number.isFinite(segment.duration)) this.#say(`segment ${segment.sequence} has no duration`);
      else if (Math.round(segment.duration) > playlist.targetDuration) {
        this.#say(`segment ${segment.sequence} of ${segment.duration} s is longer than ${playlist.targetDuration} s`);
      }
    }
  }

  #checkAgainst(before: CheckedPlaylist, now: CheckedPlaylist): void {
    if (now.mediaSequence < before.mediaSequence) {
      this.#say(`media sequence went back from ${before.mediaSequence} to ${now.mediaSequence}`);
    }
    if (now.discontinuitySequence < before.discontinuitySequence) {
      this.#say(`discontinuity sequence went back from ${before.discontinuitySequence}`);
    }
    const lastBefore = before.mediaSequence + before.segments.length;
    const lastNow = now.mediaSequence + now.segments.length;
    if (lastNow < lastBefore) this.#say(`the end went back from ${lastBefore} to ${lastNow}`);
    if (before.ended && (lastNow !== lastBefore || !now.ended)) this.#say('went on after EXT-X-ENDLIST');
    this.#checkTarget(before, now);
    this.#checkHead(before, now);
  }

  #checkTarget(before: CheckedPlaylist, now: CheckedPlaylist): void {
    if (now.targetDuration === before.targetDuration) return;
    const needed = now.segments.some(
      (segment) => !this.#known.has(segment.sequence) && Math.round(segment.duration) > before.targetDuration,
    );
    if (needed && now.targetDuration > before.targetDuration) this.targetGrowths += 1;
    else this.#say(`target duration went from ${before.targetDuration} to ${now.targetDuration} without need`);
  }

  /** What leaves must not leave less than three target durations, unless the list moved on as a whole. */
  #checkHead(before: CheckedPlaylist, now: CheckedPlaylist): void {
    const removed = now.mediaSequence - before.mediaSequence;
    if (removed <= 0 || removed >= before.segments.length) return;
    const remains = now.segments.reduce((sum, segment) => sum + segment.duration, 0);
    if (remains < 3 * before.targetDuration - 0.01) {
      this.#say(`removing ${removed} segments left ${remains} s at a target duration of ${before.targetDuration} s`);
    }
  }

  #checkSegment(segment: CheckedSegment): void {
    const { sequence } = segment;
    const id = `${segment.uri} ${segment.range ?? ''}`;
    const known = this.#known.get(sequence);
    if (known === undefined) {
      this.#known.set(sequence, segment);
      const other = this.#numbers.get(id);
      if (other !== undefined) this.#say(`${segment.uri} is listed under ${other} and under ${sequence}`);
      this.#numbers.set(id, sequence);
      return;
    }
    for (const field of ['uri', 'range', 'duration', 'discontinuity', 'discontinuitySequence', 'key', 'map'] as const) {
      if (known[field] !== segment[field]) {
        this.#say(`segment ${sequence} changed its ${field} from ${known[field]} to ${segment[field]}`);
      }
    }
  }
}
