// The limits of a playlist. What is kept or made of a playlist is a small multiple of them. A text beyond them is refused as
// a whole, and its endpoint counts as failed.

export interface PlaylistLimits {
  /** UTF-16 units of the text. Default 4 Mi: a day of 2 s segments. */
  readonly textChars: number;
  /** Default 200,000. */
  readonly lines: number;
  /** UTF-16 units of one line. Default 64 Ki: a key or an initialisation section may be a `data:` URI. */
  readonly lineChars: number;
  /** Segments listed. Default 50,000: a day of 2 s segments has 43,200. */
  readonly segments: number;
  /** EXT-X-PART tags of all segments together. Default 2,000. */
  readonly parts: number;
  /** Keys in force at once, each of another KEYFORMAT. Default 8. */
  readonly keys: number;
  /** UTF-16 units of an EXT-X-KEY or EXT-X-MAP, which hold for every segment that follows. Default 16 Ki. */
  readonly carriedChars: number;
  /** Playlists that a multivariant playlist lists: variants, renditions, I-frame playlists. Default 1,000. */
  readonly variants: number;
}

/** The limits that hold for every playlist of an origin. */
export const playlistLimits: PlaylistLimits = {
  textChars: 4 * 1024 * 1024,
  lines: 200_000,
  lineChars: 64 * 1024,
  segments: 50_000,
  parts: 2_000,
  keys: 8,
  carriedChars: 16 * 1024,
  variants: 1_000,
};
