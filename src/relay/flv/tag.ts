// What an FLV tag means to a relay: which track it belongs to, whether a player can start with it, whether a late
// joiner needs it. Reads only the first bytes of a body; codecs that it does not know are passed on by their type.
// Sources: Video File Format Specification 10.1 (legacy), Enhanced RTMP v2 (FourCC, ModEx, multitrack).

/**
 * The tag types of FLV (Video File Format Specification 10.1, annex E.4.1). Others exist in the wild; players ignore them, so a
 * relay drops them.
 */
export const tagType = { audio: 8, video: 9, script: 18 } as const;
/** The number of a type, as it stands in a tag's first byte. */
export type TagType = (typeof tagType)[keyof typeof tagType];

/** One tag of a stream, with what a relay has to know of it. */
export interface FlvTag {
  readonly type: TagType;
  /** Milliseconds, 32 bits unsigned, of the clock of whoever made the tag. */
  readonly timestamp: number;
  /** What follows the tag header; a view of the chunk it came in where that was possible. */
  readonly body: Buffer;
  /** A video frame that decodes without an earlier one. */
  readonly keyframe: boolean;
  /**
   * Set for tags that a late joiner needs before any media: `metadata` (onMetaData), `audio` and `video` (sequence
   * headers), and one per further track. The latest tag of a slot replaces the earlier one. Undefined: media.
   */
  readonly slot: string | undefined;
}

const exHeader = 0x80;
const exAudioFormat = 9;
const packet = {
  sequenceStart: 0,
  sequenceEnd: 2,
  codedFramesX: 3,
  metadata: 4,
  codedFrames: 1,
  tsSequenceStart: 5,
  modEx: 7,
};
/** Multitrack has another number for video than for audio, and so has the stand-alone configuration. */
const multitrack = { video: 6, audio: 5 };
const multichannelConfig = 4;
const manyTracksManyCodecs = 2;
/** Modifiers before a packet's type that are read; the standard has one kind, and a tag has room for millions. */
const maxModifiers = 8;

/** Legacy video codecs whose bodies carry a packet type: AVC, HEVC (a common extension), AV1 (a rarer one). */
const packetisedVideo = new Map([
  [7, 'h264'],
  [12, 'hevc'],
  [13, 'av1'],
]);
const otherVideo = new Map([
  [2, 'h263'],
  [3, 'screen'],
  [4, 'vp6'],
  [5, 'vp6a'],
  [6, 'screen2'],
]);
const aac = 10;
const legacyAudio = new Map([
  [0, 'pcm'],
  [1, 'adpcm'],
  [2, 'mp3'],
  [3, 'pcm'],
  [7, 'g711a'],
  [8, 'g711u'],
  [aac, 'aac'],
  [11, 'speex'],
  [13, 'opus'],
  [14, 'mp3'],
]);
const fourCcNames = new Map([
  ['avc1', 'h264'],
  ['hvc1', 'hevc'],
  ['vvc1', 'vvc'],
  ['av01', 'av1'],
  ['vp08', 'vp8'],
  ['vp09', 'vp9'],
  ['mp4a', 'aac'],
  ['Opus', 'opus'],
  ['fLaC', 'flac'],
  ['.mp3', 'mp3'],
  ['ac-3', 'ac3'],
  ['ec-3', 'eac3'],
]);

/** What the first bytes of an audio or video body say. */
interface BodyKind {
  readonly role: 'media' | 'header' | 'end';
  readonly slot: string | undefined;
  readonly codec: string;
  /** False for tracks of a multitrack stream beside its first: players start with the first. */
  readonly mainTrack: boolean;
}

const media = (codec: string): BodyKind => ({ role: 'media', slot: undefined, codec, mainTrack: true });
const unreadable: BodyKind = { ...media('unknown'), mainTrack: false };
const header = (slot: string, codec: string): BodyKind => ({ role: 'header', slot, codec, mainTrack: true });
const end = (codec: string): BodyKind => ({ role: 'end', slot: undefined, codec, mainTrack: true });

function extendedKind(body: Buffer, track: 'audio' | 'video'): BodyKind {
  let type = (body[0] ?? 0) & 0x0f;
  let at = 1;
  for (let modifiers = 0; type === packet.modEx; modifiers += 1) {
    if (modifiers >= maxModifiers) return unreadable;
    let size = (body[at] ?? 0) + 1;
    at += 1;
    if (size === 256 && at + 2 <= body.length) {
      size = body.readUInt16BE(at) + 1;
      at += 2;
    }
    at += size;
    if (at >= body.length) return unreadable;
    type = (body[at] ?? 0) & 0x0f;
    at += 1;
  }
  let slot: string = track;
  let mainTrack = true;
  if (type === multitrack[track]) {
    const layout = (body[at] ?? 0) >> 4;
    type = (body[at] ?? 0) & 0x0f;
    at += 1;
    const trackId = layout === 0 ? (body[at + 4] ?? 0) : undefined;
    mainTrack = trackId === undefined || trackId === 0;
    slot = trackId === undefined ? `${track}-tracks` : `${track}-track-${trackId}`;
    if (layout === manyTracksManyCodecs) return type === packet.sequenceStart ? header(slot, 'mixed') : media('mixed');
  }
  const codec = fourCcNames.get(body.toString('latin1', at, at + 4)) ?? 'unknown';
  if (type === packet.sequenceStart || (track === 'video' && type === packet.tsSequenceStart))
    return { role: 'header', slot, codec, mainTrack };
  if (type === packet.sequenceEnd) return end(codec);
  if (track === 'video' && type === packet.metadata) return header(`${slot}-metadata`, codec);
  if (track === 'audio' && type === multichannelConfig) return header(`${slot}-channels`, codec);
  return { role: 'media', slot: undefined, codec, mainTrack };
}

function videoKind(body: Buffer): BodyKind {
  const first = body[0] ?? 0;
  if ((first & exHeader) !== 0) {
    const command = ((first >> 4) & 7) === 5 && (first & 0x0f) !== packet.metadata;
    return command ? media('unknown') : extendedKind(body, 'video');
  }
  const codec = packetisedVideo.get(first & 0x0f);
  if (codec === undefined) return media(otherVideo.get(first & 0x0f) ?? 'unknown');
  if (body[1] === 0) return header('video', codec);
  return body[1] === 2 ? end(codec) : media(codec);
}

function audioKind(body: Buffer): BodyKind {
  const format = (body[0] ?? 0) >> 4;
  if (format === exAudioFormat) return extendedKind(body, 'audio');
  const codec = legacyAudio.get(format) ?? 'unknown';
  return format === aac && body[1] === 0 ? header('audio', codec) : media(codec);
}

/** The codec of an audio or video tag by its usual short name, `unknown` where none is known. */
export function codecOf(tag: FlvTag): string {
  if (tag.type === tagType.script) return 'unknown';
  return (tag.type === tagType.video ? videoKind(tag.body) : audioKind(tag.body)).codec;
}

/** AMF0: a string marker, its length, then the name of the event. */
const amfString = (text: string) => Buffer.concat([Buffer.from([2, text.length >> 8, text.length]), Buffer.from(text)]);
const setDataFrame = amfString('@setDataFrame');
const onMetaData = amfString('onMetaData');
const startsWith = (body: Buffer, prefix: Buffer) => body.subarray(0, prefix.length).equals(prefix);

/**
 * Makes a tag of its parts. Returns undefined for what a viewer has no use for: unknown types, empty bodies, and the end of a
 * sequence (the relay goes on after it, perhaps from another origin). `@setDataFrame`, which belongs to publishing, is taken
 * off the metadata.
 *
 * @param timestamp ms, 32 bits
 */
export function readTag(type: number, timestamp: number, body: Buffer): FlvTag | undefined {
  if (body.length === 0) return undefined;
  if (type === tagType.script) {
    const data = startsWith(body, setDataFrame) ? body.subarray(setDataFrame.length) : body;
    return {
      type,
      timestamp,
      body: data,
      keyframe: false,
      slot: startsWith(data, onMetaData) ? 'metadata' : undefined,
    };
  }
  if (type !== tagType.audio && type !== tagType.video) return undefined;
  const kind = type === tagType.video ? videoKind(body) : audioKind(body);
  if (kind.role === 'end') return undefined;
  const frameType = ((body[0] ?? 0) >> 4) & 7;
  const keyframe =
    type === tagType.video && kind.role === 'media' && kind.mainTrack && (frameType === 1 || frameType === 4);
  return { type, timestamp, body, keyframe, slot: kind.slot };
}
