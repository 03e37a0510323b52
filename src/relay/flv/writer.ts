// Tags as bytes (Video File Format Specification 10.1, annex E).

import type { FlvTag } from './tag.js';

/** The header of a tag, and the size that follows it. */
const tagOverheadBytes = 15;

/** The file header, and the zero that stands for the size of the tag before the first. */
export function fileHeader(hasAudio: boolean, hasVideo: boolean): Buffer {
  return Buffer.from([0x46, 0x4c, 0x56, 1, (hasAudio ? 4 : 0) | (hasVideo ? 1 : 0), 0, 0, 0, 9, 0, 0, 0, 0]);
}

/** What a tag takes when it is written. */
export function tagBytes(tag: FlvTag): number {
  return tag.body.length + tagOverheadBytes;
}

/** Writes the tag at a position of `target`, which has room for it. Returns the position behind it. */
export function writeTag(target: Buffer, at: number, tag: FlvTag): number {
  const { body } = tag;
  target[at] = tag.type;
  target.writeUIntBE(body.length, at + 1, 3);
  target.writeUIntBE(tag.timestamp & 0xffffff, at + 4, 3);
  target[at + 7] = tag.timestamp >>> 24;
  target.writeUIntBE(0, at + 8, 3);
  body.copy(target, at + 11);
  target.writeUInt32BE(body.length + 11, at + 11 + body.length);
  return at + body.length + tagOverheadBytes;
}
