// Pure: how a stored object answers Range and conditional requests (RFC 9110, sections 13 and 14).

import type { IncomingHttpHeaders } from 'node:http';
import { type ByteRange, byteRange, isByteRange } from '../../byte-range.js';

export type Selection =
  | { readonly status: 200 }
  | ({ readonly status: 206 } & ByteRange)
  | { readonly status: 304 }
  | { readonly status: 416 };

interface Validators {
  readonly etag?: string | undefined;
  readonly 'last-modified'?: string | undefined;
}

interface ConditionalRequest {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** Ranges are for GET alone. @param size bytes of the whole object */
export function select({ method, headers }: ConditionalRequest, stored: Validators, size: number): Selection {
  if (isNotModified(headers, stored)) return { status: 304 };
  const { range } = headers;
  if (method !== 'GET' || range === undefined || !rangeStillApplies(headers['if-range'], stored))
    return { status: 200 };
  return selectRange(range, size);
}

/** How an object is answered. */
export interface Answer {
  readonly status: number;
  /** Bytes of the object that are sent: from `start` up to, but without, `end`. */
  readonly start: number;
  readonly end: number;
  /** Content-Length, where it is known. */
  readonly lengthBytes: number | undefined;
  /** Content-Range, where it is not the object's own. */
  readonly range: string | undefined;
}

/**
 * The answer to a player, as soon as the object's header is here.
 *
 * @param size bytes of the whole object; undefined while the origin has not said
 * @param selects whether the player's conditions and Range are about this object; false when it is a range itself
 * @returns undefined when the answer depends on the size, and the size is not known
 */
export function answerOf(
  request: ConditionalRequest,
  { status, headers }: { readonly status: number; readonly headers: Validators },
  size: number | undefined,
  selects: boolean,
): Answer | undefined {
  const whole: Answer = { status, start: 0, end: Number.POSITIVE_INFINITY, lengthBytes: size, range: undefined };
  if (!selects || status !== 200) return whole;
  if (size === undefined && mayBeRange(request, headers)) return undefined;
  const selection = select(request, headers, size ?? 0);
  if (selection.status === 200) return whole;
  if (selection.status === 304) return { status: 304, start: 0, end: 0, lengthBytes: undefined, range: undefined };
  if (selection.status === 416) return { status: 416, start: 0, end: 0, lengthBytes: 0, range: `bytes */${size}` };
  const { start, end } = selection;
  return { status: 206, start, end, lengthBytes: end - start, range: `bytes ${start}-${end - 1}/${size}` };
}

/** The size decides what is sent. */
function mayBeRange({ method, headers }: ConditionalRequest, stored: Validators): boolean {
  const { range } = headers;
  const wanted = method === 'GET' && range !== undefined && !isNotModified(headers, stored);
  return wanted && rangeStillApplies(headers['if-range'], stored) && isByteRange(range);
}

/** Whether the player's copy still holds (RFC 9110, section 13.2.2): If-None-Match counts before If-Modified-Since. */
export function isNotModified(request: IncomingHttpHeaders, stored: Validators): boolean {
  const match = request['if-none-match'];
  if (match !== undefined) {
    if (match.trim() === '*') return true;
    if (stored.etag === undefined) return false;
    const own = weak(stored.etag);
    return match.split(',').some((tag) => weak(tag.trim()) === own);
  }
  const since = request['if-modified-since'];
  const modified = stored['last-modified'];
  if (since === undefined || modified === undefined) return false;
  return Date.parse(modified) <= Date.parse(since);
}

function selectRange(header: string, size: number): Selection {
  const range = byteRange(header, size);
  if (range === undefined) return { status: 200 };
  return range === 'unsatisfiable' ? { status: 416 } : { status: 206, ...range };
}

function rangeStillApplies(ifRange: string | string[] | undefined, stored: Validators): boolean {
  if (ifRange === undefined) return true;
  // A weak validator never allows a range.
  return (
    typeof ifRange === 'string' &&
    !ifRange.startsWith('W/') &&
    (ifRange === stored.etag || ifRange === stored['last-modified'])
  );
}

function weak(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}
