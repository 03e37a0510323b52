// What a media server says of itself: its live streams and how busy it is.

/** One stream that somebody publishes now, as its server names it. */
export interface Stream {
  /** Empty where the server has none. */
  readonly vhost: string;
  /** Empty where the server has none. */
  readonly app: string;
  readonly name: string;
  /** Whoever publishes it, as the server's API and hooks name them. */
  readonly publisher?: string | undefined;
  readonly viewers?: number | undefined;
  /** kbit/s as measured. */
  readonly bitrate?: number | undefined;
  /** Fraction 0..1 as measured. */
  readonly packetLoss?: number | undefined;
}

/** One answer of a server: all its streams. */
export interface Reading {
  readonly streams: readonly Stream[];
  /** Fraction 0..1 of what the server can compute, as it says itself. */
  readonly cpu?: number | undefined;
}

/** What a server calls about. `publisher` as in Stream. */
export interface Hook {
  readonly kind: 'published' | 'unpublished';
  readonly stream: Stream;
}

/** By which a stream is told from the others of its server. */
export function keyOf({ vhost, app, name }: Stream): string {
  return `${vhost}\n${app}\n${name}`;
}

/** An answer that is not what the server's kind answers. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer';
}
