// Watches one live media playlist as a player does, reload by reload, and says which rules of RFC 8216 (sections 4.3.3, 6.2.1
// and 6.2.2), of its second edition, and of players were broken. It reads the text by itself: a fault of weir's own parser must not hide here.

export interface CheckedSegment {
  readonly sequence: number;
  readonly discontinuitySequence: number;
  readonly discontinuity: boolean;
  readonly duration: number;
  readonly uri: string;
  readonly range: string | undefined;
  readonly key: string;
  readonly map: string | undefined;
  /** Epoch ms, told here or counted on from an earlier segment without a discontinuity between. */
  readonly time: number | undefined;
  readonly parts: readonly CheckedPart[];
}

export interface CheckedPart {
  readonly uri: string;
  readonly duration: number;
}

export interface CheckedPlaylist {
  readonly targetDurationSeconds: number;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly ended: boolean;
  readonly segments: readonly CheckedSegment[];
  /** Of the segment in the making. */
  readonly parts: readonly CheckedPart[];
  readonly partTarget: number | undefined;
  /** EXT-X-SERVER-CONTROL by attribute. */
  readonly control: ReadonlyMap<string, string>;
  /** Attributes by ID; of several tags with one ID together. */
  readonly dateRanges: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

function readAttributes(text: string): Map<string, string> {
  const pairs = [...text.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^",]*)/g)];
  return new Map(pairs.map(([, name = '', value = '']) => [name, value.replaceAll('"', '')]));
}

/** Keys in force: of each format the last one, until NONE ends all. */
function withKey(keys: ReadonlyMap<string, string>, line: string): Map<string, string> {
  const attributes = readAttributes(line.slice(11));
  if (attributes.get('METHOD') === 'NONE') return new Map();
  return new Map(keys).set(attributes.get('KEYFORMAT') ?? 'identity', line);
}

export function readMediaPlaylist(text: string): CheckedPlaylist {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines[0] !== '#EXTM3U') throw new Error('does not begin with #EXTM3U');
  const single = (name: string) => {
    const found = lines.filter((line) => line.startsWith(`#${name}:`));
    if (found.length > 1) throw new Error(`${found.length} times ${name}`);
    return found[0]?.slice(name.length + 2);
  };
  const targetDurationSeconds = Number(single('EXT-X-TARGETDURATION') ?? Number.NaN);
  if (!Number.isInteger(targetDurationSeconds)) throw new Error('no integer EXT-X-TARGETDURATION');
  const mediaSequence = Number(single('EXT-X-MEDIA-SEQUENCE') ?? 0);
  const discontinuitySequence = Number(single('EXT-X-DISCONTINUITY-SEQUENCE') ?? 0);
  for (const number of [mediaSequence, discontinuitySequence]) {
    if (!Number.isSafeInteger(number + lines.length)) throw new Error(`${number} is beyond exact numbers`);
  }
  single('EXT-X-VERSION');
  const partInf = single('EXT-X-PART-INF');
  const control = readAttributes(single('EXT-X-SERVER-CONTROL') ?? '');
  const dateRanges = new Map<string, Map<string, string>>();
  const segments: CheckedSegment[] = [];
  let current = discontinuitySequence;
  let discontinuity = false;
  let duration = Number.NaN;
  let range: string | undefined;
  let keys: ReadonlyMap<string, string> = new Map();
  let map: string | undefined;
  let time: number | undefined;
  let told = false;
  let parts: CheckedPart[] = [];
  for (const line of lines) {
    if (line.startsWith('#EXTINF:')) duration = Number.parseFloat(line.slice(8));
    else if (line === '#EXT-X-DISCONTINUITY') {
      discontinuity = true;
      current += 1;
      if (!told) time = undefined;
    } else if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) {
      time = Date.parse(line.slice(25));
      told = true;
      if (!Number.isFinite(time)) throw new Error(`no date: ${line}`);
    } else if (line.startsWith('#EXT-X-DATERANGE:')) {
      const attributes = readAttributes(line.slice(17));
      const id = attributes.get('ID');
      if (id === undefined) throw new Error('a date range without ID');
      dateRanges.set(id, new Map([...(dateRanges.get(id) ?? []), ...attributes]));
    } else if (line.startsWith('#EXT-X-PART:')) {
      const attributes = readAttributes(line.slice(12));
      parts.push({ uri: attributes.get('URI') ?? '', duration: Number(attributes.get('DURATION')) });
    } else if (line.startsWith('#EXT-X-BYTERANGE:')) range = line.slice(17);
    else if (line.startsWith('#EXT-X-KEY:')) keys = withKey(keys, line);
    else if (line.startsWith('#EXT-X-MAP:')) {
      // Its bytes are encrypted with the keys before it, whose vector has to be said.
      map = [line, ...[...keys.values()].map((key) => key.replace(/,?IV=0x[0-9a-f]*/i, ''))].join(' ');
    } else if (!line.startsWith('#')) {
      const sequence = mediaSequence + segments.length;
      // The number is the initialisation vector where none is written.
      const key = [...keys.values()].map((text) => (text.includes('IV=') ? text : `${text} IV by number ${sequence}`));
      const place = { sequence, discontinuitySequence: current, discontinuity };
      segments.push({ ...place, duration, uri: line, range, key: key.sort().join('|'), map, time, parts });
      discontinuity = false;
      if (time !== undefined) time += duration * 1000;
      told = false;
      duration = Number.NaN;
      range = undefined;
      parts = [];
    }
  }
  return {
    targetDurationSeconds,
    mediaSequence,
    discontinuitySequence,
    ended: lines.includes('#EXT-X-ENDLIST'),
    segments,
    parts,
    partTarget: partInf === undefined ? undefined : Number(readAttributes(partInf).get('PART-TARGET')),
    control,
    dateRanges,
  };
}

/** ms by which a time may differ that was counted on in rounded durations. */
const timeTolerance = 50;

export class LivePlaylistChecker {
  readonly violations: string[] = [];
  readonly #known = new Map<number, CheckedSegment>();
  readonly #numbers = new Map<string, number>();
  /** URIs of parts, by number of their segment. */
  readonly #parts = new Map<number, readonly CheckedPart[]>();
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
    this.#checkDelivery(playlist);
    this.#checkParts(playlist);
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
      else if (Math.round(segment.duration) > playlist.targetDurationSeconds) {
        this.#say(
          `segment ${segment.sequence} of ${segment.duration} s is longer than ${playlist.targetDurationSeconds} s`,
        );
      }
    }
  }

  /** RFC 8216bis, section 4.4.3.8. */
  #checkDelivery({ control, targetDurationSeconds, partTarget }: CheckedPlaylist): void {
    const least = (name: string, seconds: number) => {
      const told = control.get(name);
      if (told !== undefined && Number(told) < seconds - 1e-4) this.#say(`${name}=${told} is less than ${seconds}`);
    };
    least('CAN-SKIP-UNTIL', 6 * targetDurationSeconds);
    least('HOLD-BACK', 3 * targetDurationSeconds);
    if (partTarget === undefined) {
      if (control.has('PART-HOLD-BACK')) this.#say('PART-HOLD-BACK without parts');
      return;
    }
    if (!control.has('PART-HOLD-BACK')) this.#say('parts without PART-HOLD-BACK');
    least('PART-HOLD-BACK', 2 * partTarget);
  }

  /** RFC 8216bis, sections 4.4.4.9 and 6.2.2. */
  #checkParts({ segments, parts, partTarget, targetDurationSeconds, mediaSequence }: CheckedPlaylist): void {
    let fromEnd = 0;
    for (const segment of [...segments].reverse()) {
      fromEnd += segment.duration;
      if (segment.parts.length > 0 && fromEnd > 3 * targetDurationSeconds + 0.01) {
        this.#say(`parts of segment ${segment.sequence} are ${fromEnd} s from the end`);
      }
    }
    const making = { sequence: mediaSequence + segments.length, parts, discontinuity: false };
    for (const segment of [...segments, making]) {
      if (segment.parts.length > 0 && partTarget === undefined) this.#say('parts without EXT-X-PART-INF');
      for (const { duration } of segment.parts) {
        if (duration > (partTarget ?? 0) + 1e-4) this.#say(`a part of ${duration} s is longer than ${partTarget} s`);
      }
      const known = this.#parts.get(segment.sequence);
      for (const [index, part] of segment.parts.entries()) {
        const before = known?.[index];
        // When the origin changes, the segment that was in the making is never made.
        if (before !== undefined && before.uri !== part.uri && !segment.discontinuity) {
          this.#say(`part ${index} of segment ${segment.sequence} changed from ${before.uri} to ${part.uri}`);
        }
      }
      if (segment.parts.length > (known?.length ?? 0)) this.#parts.set(segment.sequence, segment.parts);
    }
  }

  /** RFC 8216bis, section 6.2.1: what was said of a range stays said, and it leaves only when the window has left it. */
  #checkDateRanges(before: CheckedPlaylist, now: CheckedPlaylist): void {
    const head = now.segments[0]?.time;
    for (const [id, said] of before.dateRanges) {
      const says = now.dateRanges.get(id);
      if (says === undefined) {
        const end = said.get('END-DATE') ?? said.get('START-DATE') ?? '';
        if (head !== undefined && Date.parse(end) >= head)
          this.#say(`date range ${id} left while it was in the window`);
        continue;
      }
      for (const name of said.keys()) if (!says.has(name)) this.#say(`date range ${id} lost its ${name}`);
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
    this.#checkDateRanges(before, now);
  }

  #checkTarget(before: CheckedPlaylist, now: CheckedPlaylist): void {
    if (now.targetDurationSeconds === before.targetDurationSeconds) return;
    const needed = now.segments.some(
      (segment) => !this.#known.has(segment.sequence) && Math.round(segment.duration) > before.targetDurationSeconds,
    );
    if (needed && now.targetDurationSeconds > before.targetDurationSeconds) this.targetGrowths += 1;
    else
      this.#say(
        `target duration went from ${before.targetDurationSeconds} to ${now.targetDurationSeconds} without need`,
      );
  }

  /** What leaves must not leave less than three target durations, unless the list moved on as a whole. */
  #checkHead(before: CheckedPlaylist, now: CheckedPlaylist): void {
    const removed = now.mediaSequence - before.mediaSequence;
    if (removed <= 0 || removed >= before.segments.length) return;
    const remains = now.segments.reduce((sum, segment) => sum + segment.duration, 0);
    if (remains < 3 * before.targetDurationSeconds - 0.01) {
      this.#say(
        `removing ${removed} segments left ${remains} s at a target duration of ${before.targetDurationSeconds} s`,
      );
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
    const { time } = segment;
    if (known.time === undefined) return;
    if (time === undefined) this.#say(`segment ${sequence} lost its time`);
    else if (Math.abs(time - known.time) > timeTolerance) this.#say(`segment ${sequence} moved in time`);
  }
}
