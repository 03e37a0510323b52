// What the beginning of an endpoint's answer says of its media. Pure.

import type { Failure } from '../../errors.js';
import { judgeStatus } from '../../upstream/judge.js';

/** Bytes of an answer that are read. */
export const maxProbeBytes = 64 * 1024;
/** An FLV header, the first back pointer, and the header of a tag. */
const flvStartBytes = 9 + 4 + 11;

/** Whether nothing more has to be read. */
export function isEnough(body: Buffer): boolean {
  if (isFlv(body)) return body.length >= flvStartBytes;
  return body.length >= (isPlaylist(body) ? maxProbeBytes : 16);
}

const isFlv = (body: Buffer) => body.subarray(0, 3).toString('latin1') === 'FLV';
const isPlaylist = (body: Buffer) => body.subarray(0, 7).toString('latin1') === '#EXTM3U';

export type Media =
  | { readonly kind: 'playlist'; readonly text: string }
  | { readonly kind: 'well' }
  /** The endpoint does not have this: it may have the other. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** What an answer is, as far as it was read. */
export function mediaOf(status: number, body: Buffer): Media {
  if (status < 200 || status > 299) {
    const { failure } = judgeStatus(status, 'asked');
    return failure === undefined ? { kind: 'absent' } : { kind: 'failed', failure };
  }
  if (isPlaylist(body)) return { kind: 'playlist', text: body.toString('utf8') };
  if (!isFlv(body)) return { kind: 'absent' };
  return body.length >= flvStartBytes ? { kind: 'well' } : { kind: 'failed', failure: 'stall' };
}

/** A playlist as it was seen, and since when it has not changed. */
export interface SeenPlaylist {
  readonly text: string;
  /** Monotonic ms. */
  readonly since: number;
}

/** A live playlist that does not change for so many target durations is ill (RFC 8216, section 6.2.1 allows 1.5). */
const patientTargets = 4;
const patientMs = 20_000;

/** Whether a playlist grows as a live one should. One that has ended, or that lists renditions, never changes. */
export function growthOf(
  before: SeenPlaylist | undefined,
  text: string,
  now: number,
): { seen: SeenPlaylist; stalled: boolean } {
  const isFixed = text.includes('#EXT-X-ENDLIST') || text.includes('#EXT-X-STREAM-INF');
  if (before === undefined || before.text !== text || isFixed) return { seen: { text, since: now }, stalled: false };
  const targetSeconds = Number(/#EXT-X-TARGETDURATION:(\d{1,6})/.exec(text)?.[1] ?? 10);
  const limitMs = Math.max(patientMs, patientTargets * targetSeconds * 1_000);
  return { seen: before, stalled: now - before.since > limitMs };
}
