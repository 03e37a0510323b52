// FLV written by hand, independently of the code under test.

export function flvTag(type: number, timestamp: number, body: Buffer): Buffer {
  const tag = Buffer.alloc(11 + body.length + 4);
  tag[0] = type;
  tag.writeUIntBE(body.length, 1, 3);
  tag.writeUIntBE(timestamp & 0xffffff, 4, 3);
  tag[7] = (timestamp >>> 24) & 0xff;
  body.copy(tag, 11);
  tag.writeUInt32BE(11 + body.length, 11 + body.length);
  return tag;
}

export function flvFile(hasAudio: boolean, hasVideo: boolean, tags: readonly Buffer[]): Buffer {
  const flags = (hasAudio ? 4 : 0) | (hasVideo ? 1 : 0);
  return Buffer.concat([Buffer.from('FLV'), Buffer.from([1, flags, 0, 0, 0, 9, 0, 0, 0, 0]), ...tags]);
}

export interface PlainTag {
  readonly type: number;
  readonly timestamp: number;
  readonly body: Buffer;
}

/** Reads a whole FLV file the simple way. Throws on any irregularity, also when it ends within a tag. */
export function parseWhole(file: Buffer): { hasAudio: boolean; hasVideo: boolean; tags: PlainTag[] } {
  if (file.toString('latin1', 0, 4) !== 'FLV\x01') throw new Error('no FLV header');
  if (file.readUInt32BE(5) !== 9 || file.readUInt32BE(9) !== 0) throw new Error('odd FLV header');
  const flags = file[4] ?? 0;
  const tags: PlainTag[] = [];
  for (let at = 13; at < file.length; ) {
    const size = file.readUIntBE(at + 1, 3);
    const timestamp = file.readUIntBE(at + 4, 3) + (file[at + 7] ?? 0) * 0x1000000;
    if (file.readUInt32BE(at + 11 + size) !== size + 11) throw new Error(`odd PreviousTagSize at ${at}`);
    tags.push({ type: file[at] ?? 0, timestamp, body: file.subarray(at + 11, at + 11 + size) });
    at += 11 + size + 4;
  }
  return { hasAudio: (flags & 4) !== 0, hasVideo: (flags & 1) !== 0, tags };
}
