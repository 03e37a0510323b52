// Bytes that viewers share: tags serialised once, then framed once for each way of delivery.

import type { FlvTag } from '../flv/tag.js';
import { tagBytes, writeTag } from '../flv/writer.js';

/**
 * How a viewer's bytes are delimited: HTTP/1.1 chunks (RFC 9112, section 7.1), nothing at all (HTTP/1.0 or
 * `Connection: close`), or WebSocket binary messages (RFC 6455, section 5.2; what a server sends is not masked). `peer` is
 * another worker with viewers of its own, which gets chunks.
 */
export type Framing = 'chunked' | 'raw' | 'websocket' | 'peer';

const crlf = Buffer.from('\r\n');

function webSocketHeader(length: number): Buffer {
  if (length < 126) return Buffer.from([0x82, length]);
  if (length < 0x10000) return Buffer.from([0x82, 126, length >> 8, length & 0xff]);
  const header = Buffer.alloc(10);
  header[0] = 0x82;
  header[1] = 127;
  header.writeUInt32BE(length, 6);
  return header;
}

/**
 * One stretch of the stream in every framing asked for, each made at most once. An empty one must not be sent: an empty chunk
 * ends a response.
 */
export class SharedFrame {
  readonly #chunked: Buffer;
  readonly #raw: Buffer;
  #webSocket: Buffer | undefined;

  /** @param prefix bytes before the tags: a file header */
  constructor(tags: readonly FlvTag[], prefix: Buffer | undefined = undefined) {
    let length = prefix?.length ?? 0;
    for (const tag of tags) length += tagBytes(tag);
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

  /** All viewers of a framing share the same memory, which nobody may change. */
  as(framing: Framing): Buffer {
    if (framing === 'chunked' || framing === 'peer') return this.#chunked;
    if (framing === 'raw') return this.#raw;
    this.#webSocket ??= Buffer.concat([webSocketHeader(this.#raw.length), this.#raw]);
    return this.#webSocket;
  }
}
