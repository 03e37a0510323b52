// FLV framing from arbitrary chunk boundaries (Video File Format Specification 10.1, annex E). Knows headers and sizes;
// what a tag means is `tag.ts`.

import { type FlvTag, readTag, tagType } from './tag.js';

/** What is wrong with a stream that is no FLV. */
export type FlvFault = 'bad_signature' | 'bad_header' | 'bad_tag_header' | 'bad_previous_tag_size' | 'tag_too_large';

/** The stream is not FLV, or not any more. The parser that threw it must not be used again. */
export class FlvError extends Error {
  override readonly name = 'FlvError';
  readonly fault: FlvFault;

  constructor(fault: FlvFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** Receives what the parser reads, in the order of the stream. */
export interface FlvSink {
  /** What the file header claims, which is not always what comes. Called again when a header is repeated mid-stream. */
  onHeader(hasAudio: boolean, hasVideo: boolean): void;
  /** A whole tag whose framing was checked to its end. */
  onTag(tag: FlvTag): void;
  /** A tag was followed by a wrong PreviousTagSize, as some muxers write it, and the stream goes on all the same. */
  onWrongTagSize?(): void;
}

const fileHeaderBytes = 9;
const tagHeaderBytes = 11;
const previousTagSizeBytes = 4;
const maxHeaderPaddingBytes = 1024;
/** The two upper bits of a tag's first byte are reserved and zero; the next one says that the body is encrypted. */
const reservedBits = 0xc0;
const typeBits = 0x3f;

const isSignature = (unit: Buffer) => unit[0] === 0x46 && unit[1] === 0x4c && unit[2] === 0x56;

/** Where a tag's StreamID begins, which is always 0; a tag header ends with it. */
const streamIdAt = 8;

/** Types nobody defined are skipped, but believed only while they are short: garbage mostly claims a great length. */
const maxUnknownTagBytes = 65_536;
const knownTypes = new Set<number>(Object.values(tagType));

type State = 'file-header' | 'padding' | 'tag-header' | 'tag-body';

/**
 * Cuts chunks into tags. A tag that lies within one chunk is a view of it; only those that cross a boundary are copied.
 * At most one tag of `maxTagBytes` is held, and one whose size is in doubt.
 *
 * A file header between tags, which a server sends that starts its stream again, is taken off: players freeze on it.
 */
export class FlvParser {
  readonly #sink: FlvSink;
  readonly #maxTagBytes: number;
  #state: State = 'file-header';
  /** Bytes that the state needs in one piece. */
  #need = fileHeaderBytes;
  #partial: Buffer | undefined;
  #filled = 0;
  #type = 0;
  #timestamp = 0;
  /** A body whose PreviousTagSize is wrong, until the tag header after it shows that the framing is not lost. */
  #doubted: Buffer | undefined;

  /** @param maxTagBytes of a tag's body */
  constructor(sink: FlvSink, maxTagBytes: number) {
    this.#sink = sink;
    this.#maxTagBytes = maxTagBytes;
  }

  /**
   * Takes the next bytes. A wrong PreviousTagSize alone breaks nothing: players only warn of it. With anything but a sound tag
   * header behind it, the framing is lost.
   *
   * @throws FlvError when the framing is broken; the sink has then seen only tags that were whole
   */
  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#partial === undefined && chunk.length - offset >= this.#need) {
        const unit = chunk.subarray(offset, offset + this.#need);
        offset += this.#need;
        this.#consume(unit);
        continue;
      }
      this.#partial ??= Buffer.allocUnsafe(this.#need);
      const taken = chunk.copy(this.#partial, this.#filled, offset, offset + this.#need - this.#filled);
      offset += taken;
      this.#filled += taken;
      if (this.#filled < this.#need) return;
      const unit = this.#partial;
      this.#partial = undefined;
      this.#filled = 0;
      this.#consume(unit);
    }
  }

  #consume(unit: Buffer): void {
    switch (this.#state) {
      case 'file-header':
        this.#fileHeader(unit, previousTagSizeBytes);
        break;
      case 'padding':
        this.#expect('tag-header', tagHeaderBytes);
        break;
      case 'tag-header':
        this.#tagHeader(unit);
        break;
      case 'tag-body':
        this.#tagBody(unit);
        break;
    }
  }

  #expect(state: State, need: number): void {
    this.#state = state;
    this.#need = need;
  }

  /** `remaining`: how much of the PreviousTagSize that follows every header is not in `unit`. */
  #fileHeader(unit: Buffer, remaining: number): void {
    if (!isSignature(unit)) {
      throw new FlvError('bad_signature', `not FLV: it begins with ${unit.toString('hex', 0, 3)}`);
    }
    const size = unit.readUInt32BE(5);
    if (size < fileHeaderBytes || size > fileHeaderBytes + maxHeaderPaddingBytes) {
      throw new FlvError('bad_header', `the FLV header claims a size of ${size} bytes`);
    }
    const flags = unit[4] ?? 0;
    this.#sink.onHeader((flags & 4) !== 0, (flags & 1) !== 0);
    this.#expect('padding', size - fileHeaderBytes + remaining);
  }

  #tagHeader(unit: Buffer): void {
    const first = unit[0] ?? 0;
    if (this.#doubted !== undefined) this.#settleDoubt(this.#doubted, unit);
    if (isSignature(unit)) {
      this.#fileHeader(unit, previousTagSizeBytes - (tagHeaderBytes - fileHeaderBytes));
      return;
    }
    if ((first & reservedBits) !== 0) {
      throw new FlvError('bad_tag_header', `a tag begins with 0x${first.toString(16)}: the framing is lost`);
    }
    const size = unit.readUIntBE(1, 3);
    if (size > maxUnknownTagBytes && !knownTypes.has(first & typeBits)) {
      throw new FlvError('bad_tag_header', `${size} bytes of an unknown tag type ${first}: the framing is lost`);
    }
    if (size > this.#maxTagBytes) {
      throw new FlvError('tag_too_large', `a tag of ${size} bytes exceeds relay.maxTagSize of ${this.#maxTagBytes}`);
    }
    this.#type = first & typeBits;
    this.#timestamp = unit.readUIntBE(4, 3) + (unit[7] ?? 0) * 0x1000000;
    this.#expect('tag-body', size + previousTagSizeBytes);
  }

  #tagBody(unit: Buffer): void {
    const size = unit.length - previousTagSizeBytes;
    const body = unit.subarray(0, size);
    this.#expect('tag-header', tagHeaderBytes);
    if (unit.readUInt32BE(size) === size + tagHeaderBytes) this.#give(body);
    else this.#doubted = body;
  }

  #settleDoubt(body: Buffer, next: Buffer): void {
    this.#doubted = undefined;
    if (!isSignature(next) && !(knownTypes.has(next[0] ?? 0) && next.readUIntBE(streamIdAt, 3) === 0)) {
      throw new FlvError('bad_previous_tag_size', `neither PreviousTagSize nor a tag follows ${body.length} bytes`);
    }
    this.#sink.onWrongTagSize?.();
    this.#give(body);
  }

  #give(body: Buffer): void {
    const tag = readTag(this.#type, this.#timestamp, body);
    if (tag !== undefined) this.#sink.onTag(tag);
  }
}
