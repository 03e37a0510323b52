// Pure: what a simulated origin answers to a request at a position of its stream.

import { byteRange } from '../byte-range.js';
import { type LiveWindow, liveWindow, renderPlaylist } from './live-window.js';

export interface OriginContent {
  readonly app: string;
  readonly channels: readonly string[];
  readonly segmentSeconds: number;
  /** Segments in a playlist. */
  readonly windowSegments: number;
  /** Media sequence number of segment 0. */
  readonly sequenceBase: number;
  /** The bytes of a segment, counted from 0. */
  readonly segment: (index: number) => Buffer;
}

export interface OriginRequest {
  readonly method: string;
  readonly url: string;
  readonly range?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

export type Answer =
  | { readonly kind: 'flv' }
  | { readonly kind: 'whole'; readonly status: number; readonly headers: Headers; readonly body: Buffer };
type Headers = Readonly<Record<string, string>>;

/** Segments behind the window that a player with an old playlist still gets. */
const keptSegments = 3;
const nothing = Buffer.alloc(0);

const plain = (status: number, headers: Headers = {}): Answer => ({ kind: 'whole', status, headers, body: nothing });

/** `seconds` is the position on the stream's clock. */
export function answer(request: OriginRequest, content: OriginContent, seconds: number): Answer {
  if (request.method === 'OPTIONS') return plain(204);
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, { Allow: 'GET, HEAD, OPTIONS' });
  const path = request.url.split('?', 1)[0] ?? '';
  const prefix = `/${content.app}/`;
  if (!path.startsWith(prefix)) return plain(404);
  const name = path.slice(prefix.length);
  const window = liveWindow(seconds, content.segmentSeconds, content.windowSegments);
  for (const channel of content.channels) {
    if (name === `${channel}.flv`) return { kind: 'flv' };
    if (name === `${channel}.m3u8`) return playlist(channel, content, window);
    const rest = name.startsWith(`${channel}-`) ? name.slice(channel.length + 1) : '';
    const sequence = /^(\d{1,15})\.ts$/.exec(rest)?.[1];
    if (sequence !== undefined) return segment(Number(sequence), request, content, window);
  }
  return plain(404);
}

function playlist(channel: string, content: OriginContent, window: LiveWindow): Answer {
  if (window.first === window.end) return plain(404);
  const uri = (sequence: number) => `${channel}-${sequence}.ts`;
  const text = renderPlaylist(window, content.segmentSeconds, content.sequenceBase, uri);
  const headers = { 'Content-Type': 'application/vnd.apple.mpegurl', 'Cache-Control': 'no-cache' };
  return { kind: 'whole', status: 200, headers, body: Buffer.from(text) };
}

function segment(sequence: number, request: OriginRequest, content: OriginContent, window: LiveWindow): Answer {
  const index = sequence - content.sequenceBase;
  if (index < 0 || index < window.first - keptSegments || index >= window.end) return plain(404);
  const etag = `"${sequence}"`;
  const headers = { 'Content-Type': 'video/mp2t', 'Cache-Control': 'max-age=60', ETag: etag, 'Accept-Ranges': 'bytes' };
  if (request.ifNoneMatch === etag) return plain(304, headers);
  const bytes = content.segment(index);
  const range = byteRange(request.range, bytes.length);
  if (range === undefined) return { kind: 'whole', status: 200, headers, body: bytes };
  if (range === 'unsatisfiable') return plain(416, { 'Content-Range': `bytes */${bytes.length}` });
  const contentRange = `bytes ${range.start}-${range.end - 1}/${bytes.length}`;
  const body = bytes.subarray(range.start, range.end);
  return { kind: 'whole', status: 206, headers: { ...headers, 'Content-Range': contentRange }, body };
}
