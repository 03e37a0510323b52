// Pure: one FLV file as an endless stream. Tag n has a fixed content and a fixed time, however often the file was looped.
// Layout after Adobe's Video File Format Specification 10.1, annex E.

const tagHeaderBytes = 11;
const previousTagSizeBytes = 4;
const [audio, video, script] = [8, 9, 18];

interface Tag {
  /** Header, body and PreviousTagSize; the timestamp is still the file's. */
  readonly bytes: Buffer;
  readonly time: number;
  readonly keyframe: boolean;
}

/** A looped FLV file. Times are milliseconds on the stream's clock, which starts at 0 and never goes back. */
export class FlvLoop {
  readonly durationMs: number;
  /** File header and PreviousTagSize0. */
  readonly header: Buffer;
  /** onMetaData and the sequence headers, in the file's order. */
  readonly #initial: readonly Buffer[];
  readonly #tags: readonly Tag[];

  /** Throws when `file` is not an FLV file that starts with a keyframe and ends within `durationMs`. */
  constructor(file: Buffer, durationMs: number) {
    if (file.toString('latin1', 0, 3) !== 'FLV') throw new Error('not an FLV file');
    const headerEnd = file.readUInt32BE(5) + previousTagSizeBytes;
    this.header = file.subarray(0, headerEnd);
    this.durationMs = durationMs;
    const initial: Buffer[] = [];
    const tags: Tag[] = [];
    for (let at = headerEnd; at < file.length; ) {
      const bytes = file.subarray(at, at + tagHeaderBytes + file.readUIntBE(at + 1, 3) + previousTagSizeBytes);
      const [kind = 0, codecByte = 0, packetType = 0] = [bytes[0], bytes[tagHeaderBytes], bytes[tagHeaderBytes + 1]];
      const time = bytes.readUIntBE(4, 3) + (bytes[7] ?? 0) * 0x1000000;
      if (kind === script || ((kind === audio || kind === video) && packetType === 0)) initial.push(bytes);
      else tags.push({ bytes, time, keyframe: kind === video && codecByte >> 4 === 1 });
      at += bytes.length;
    }
    if (tags[0]?.keyframe !== true) throw new Error('the first picture is not a keyframe');
    if (tags.some((tag, i) => tag.time < (tags[i - 1]?.time ?? 0) || tag.time >= durationMs)) {
      throw new Error('timestamps go back or exceed the duration');
    }
    this.#initial = initial;
    this.#tags = tags;
  }

  /** Index of the first tag after `time`: all before it are due then. */
  firstAfter(time: number): number {
    const loop = Math.floor(time / this.durationMs);
    const within = time - loop * this.durationMs;
    const index = this.#tags.findIndex((tag) => tag.time > within);
    return loop * this.#tags.length + (index < 0 ? this.#tags.length : index);
  }

  /** Index of the last keyframe before tag `index`: where somebody who joins there has to begin. */
  keyframeBefore(index: number): number {
    for (let i = index - 1; i >= 0; i -= 1) if (this.#tag(i).keyframe) return i;
    return 0;
  }

  timeOf(index: number): number {
    return Math.floor(index / this.#tags.length) * this.durationMs + this.#tag(index).time;
  }

  /** onMetaData and sequence headers, stamped with `timestamp`. */
  opening(timestamp: number): Buffer {
    return Buffer.concat(this.#initial.map((bytes) => stamp(Buffer.from(bytes), timestamp)));
  }

  /** The tags from index `from` up to, without, `to`; `origin` milliseconds are taken off every timestamp. */
  render(from: number, to: number, origin = 0): Buffer {
    const parts: Buffer[] = [];
    for (let i = from; i < to; i += 1) parts.push(stamp(Buffer.from(this.#tag(i).bytes), this.timeOf(i) - origin));
    return Buffer.concat(parts);
  }

  #tag(index: number): Tag {
    const tag = this.#tags[index % this.#tags.length];
    if (tag === undefined) throw new RangeError(`no tag ${index}`);
    return tag;
  }
}

/** 24 low bits first, then the high byte; wraps after 49 days, as the format does. */
function stamp(tag: Buffer, timestamp: number): Buffer {
  const wrapped = timestamp % 0x1_0000_0000;
  tag.writeUIntBE(wrapped % 0x1000000, 4, 3);
  tag[7] = Math.floor(wrapped / 0x1000000);
  return tag;
}
