// What a media server reports: its live streams and its load.

/** One stream that somebody publishes now, as its server names it. */
export interface Stream {
  /** Empty where the server has none. */
  readonly vhost: string;
  /** Empty where the server has none. */
  readonly app: string;
  readonly name: string;
  /** The publisher's id, the same in the server's API and hooks. */
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

/** A call of a server: a stream began or ended. */
export interface Hook {
  readonly kind: 'published' | 'unpublished';
  readonly stream: Stream;
}

/** Identifies a stream among those of its server. */
export function keyOf({ vhost, app, name }: Stream): string {
  return `${vhost}\n${app}\n${name}`;
}

/** An answer that this kind of server does not give. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer';
}
