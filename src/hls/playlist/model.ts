// HLS playlists as data: RFC 8216 and draft-pantos-hls-rfc8216bis.

/** One line that begins with `#`. A comment has the name `''` and its text, with the leading `#`, as its value. */
export interface Tag {
  readonly name: string;
  /** What follows the colon; undefined when there is none. */
  readonly value: string | undefined;
}

export interface SegmentRange {
  readonly length: number;
  /** Always resolved: an offset that the playlist leaves out follows from the segment before. */
  readonly offset: number;
}

export interface Segment {
  /** As written in the playlist: relative or absolute. */
  readonly uri: string;
  readonly sequence: number;
  /** Seconds. */
  readonly durationSeconds: number;
  readonly discontinuity: boolean;
  readonly gap: boolean;
  readonly byteRange: SegmentRange | undefined;
  /** EXT-X-KEY tags in force; empty when the segment is in the clear. */
  readonly keys: readonly Tag[];
  /** The EXT-X-MAP tag in force, and the keys that were in force where it stands: they are those of its bytes. */
  readonly map: { readonly tag: Tag; readonly keys: readonly Tag[] } | undefined;
  /**
   * Epoch ms of the first sample, written here or counted on from an earlier segment without a discontinuity between.
   */
  readonly programDateTime: number | undefined;
  /** All tags before the URI, in order, those that are also fields included. */
  readonly tags: readonly Tag[];
}

export interface MediaPlaylist {
  readonly kind: 'media';
  /** Lines that are not empty: the cost of reading it. */
  readonly lines: number;
  /** Tags of the playlist as a whole, in order. */
  readonly header: readonly Tag[];
  readonly version: number;
  /** Seconds. */
  readonly targetDurationSeconds: number;
  /** Number of the first segment, whether it is listed or left out by EXT-X-SKIP. */
  readonly mediaSequence: number;
  /** undefined: the playlist does not say, which RFC 8216 reads as 0. */
  readonly discontinuitySequence: number | undefined;
  /** Segments left out of a delta update. */
  readonly skipped: number;
  readonly ended: boolean;
  readonly segments: readonly Segment[];
  /** Tags after the last segment: parts of the one in the making, preload hints, rendition reports. */
  readonly tail: readonly Tag[];
  /** EXT-X-DATERANGE tags wherever they stand, in order: they are the playlist's, not a segment's. */
  readonly dateRanges: readonly Tag[];
}

/** One line of a multivariant playlist: a tag, or a URI with the EXT-X-STREAM-INF that it completes. */
export type MultivariantLine = { readonly tag: Tag } | { readonly uri: string; readonly streamInf: Tag };

export interface MultivariantPlaylist {
  readonly kind: 'multivariant';
  readonly lines: readonly MultivariantLine[];
}

export type Playlist = MediaPlaylist | MultivariantPlaylist;

/** The text is not a playlist that can be served: `reason` is a fixed phrase, safe to log and to count. */
export class PlaylistError extends Error {
  override readonly name = 'PlaylistError';
}

/** The first tag of that name. */
export function find(tags: readonly Tag[], name: string): Tag | undefined {
  return tags.find((tag) => tag.name === name);
}

/** The tag as a line, without its end. */
export function renderTag(tag: Tag): string {
  if (tag.name === '') return tag.value ?? '';
  return tag.value === undefined ? `#${tag.name}` : `#${tag.name}:${tag.value}`;
}
