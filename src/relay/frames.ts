// Bytes that viewers share: tags serialised once, then framed once for each way of delivery.

import type { FlvTag } from './flv-tag.js';

/**
 * How a viewer's bytes are delimited: HTTP/1.1 chunks (`peer` too, which is another worker with viewers of its own), nothing at all (HTTP/1.0 or `Connection: close`), or WebSocket
 * binary messages (RFC 6455 section 5.2; what a server sends is not masked).
 */
export type Framing = 'chunked' | 'raw' | 'websocket' | 'peer';

const tagOverhead = 15;
const crlf = Buffer.from('\r\n');

/** The file header and the zero that stands for the size of the tag before the first. */
export function fileHeader(hasAudio: boolean, hasVideo: boolean): Buffer {
  return Buffer.from([0x46, 0x4c, 0x56, 1, (hasAudio ? 4 : 0) | (hasVideo ? 1 : 0), 0, 0, 0, 9, 0, 0, 0, 0]);
}

function writeTag(target: Buffer, at: number, tag: FlvTag): number {
  const { body } = tag;
  target[at] = tag.type;
  target.writeUIntBE(body.length, at + 1, 3);
  target.writeUIntBE(tag.timestamp & 0xffffff, at + 4, 3);
  target[at + 7] = tag.timestamp >>> 24;
  target.writeUIntBE(0, at + 8, 3);
  body.copy(target, at + 11);
  target.writeUInt32BE(body.length + 11, at + 11 + body.length);
  return at + body.length + tagOverhead;
}

function webSocketHeader(length: number): Buffer {
  if (length < 126) return Buffer.from([0x82, length]);
  if (length < 0x10000) return Buffer.from([0x82, 126, length >> 8, length & 0xff]);
  const header = Buffer.alloc(10);
  header[0] = 0x82;
  header[1] = 127;
  header.writeUInt32BE(length, 6);
  return header;
}

/** One stretch of the stream in every framing asked for, each made at most once. Empty stretches must not be sent. */
export class SharedFrame {
  readonly #chunked: Buffer;
  readonly #raw: Buffer;
  #webSocket: Buffer | undefined;

  /** Serialises `tags` behind `prefix` (a file header). */
  constructor(tags: readonly FlvTag[], prefix: Buffer | undefined = undefined) {
    let length = prefix?.length ?? 0;
    for (const tag of tags) length += tag.body.length + tagOverhead;
    // The chunk's frame lies around the payload, so that the raw form is a view of it.
    const head = Buffer.from(`${length.toString(16)}\r\n`, 'latin1');
    const chunked = Buffer.allocUnsafeSlow(head.length + length + crlf.length);
    head.copy(chunked);
    let at = head.length;
    if (prefix !== undefined) at += prefix.copy(chunked, at);
    for (const tag of tags) at = writeTag(chunked, at, tag);
    crlf.copy(chunked, at);
    this.#chunked = chunked;
    this.#raw = chunked.subarray(head.length, at);
  }

  /** Bytes of FLV in it, framing not counted. */
  get length(): number {
    return this.#raw.length;
  }

  as(framing: Framing): Buffer {
    if (framing === 'chunked' || framing === 'peer') return this.#chunked;
    if (framing === 'raw') return this.#raw;
    this.#webSocket ??= Buffer.concat([webSocketHeader(this.#raw.length), this.#raw]);
    return this.#webSocket;
  }
}
