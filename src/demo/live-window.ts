// Pure: which segments of an endless stream a live playlist shows at a position, and the playlist's text.
// Rules after RFC 8216, sections 4.3.3 and 6.2.2.

export interface LiveWindow {
  /** Index of the first segment listed. */
  readonly first: number;
  /** Index after the last segment listed: it is still being made. */
  readonly end: number;
}

/** The segments that are complete at `seconds`, at most `length` of them. Empty before the first one is. */
export function liveWindow(seconds: number, segmentSeconds: number, length: number): LiveWindow {
  const end = Math.max(0, Math.floor(seconds / segmentSeconds));
  return { first: Math.max(0, end - length), end };
}

/** A media playlist without an end. `sequenceBase` is the media sequence number of segment 0. */
export function renderPlaylist(
  window: LiveWindow,
  segmentSeconds: number,
  sequenceBase: number,
  uri: (sequence: number) => string,
): string {
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    `#EXT-X-TARGETDURATION:${Math.ceil(segmentSeconds)}`,
    `#EXT-X-MEDIA-SEQUENCE:${sequenceBase + window.first}`,
    '#EXT-X-INDEPENDENT-SEGMENTS',
  ];
  for (let index = window.first; index < window.end; index += 1) {
    lines.push(`#EXTINF:${segmentSeconds.toFixed(3)},`, uri(sequenceBase + index));
  }
  return `${lines.join('\n')}\n`;
}
