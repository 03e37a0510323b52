// Pure: how a stored object answers Range and conditional requests (RFC 9110, sections 13 and 14).

import type { IncomingHttpHeaders } from 'node:http';

export type Selection =
  | { readonly status: 200 }
  | { readonly status: 206; readonly start: number; readonly end: number }
  | { readonly status: 304 }
  | { readonly status: 416 };

interface Validators {
  readonly etag?: string | undefined;
  readonly 'last-modified'?: string | undefined;
}

interface ObjectRequest {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** Ranges are for GET alone. @param size bytes of the whole object; @param end of a 206 is inclusive */
export function select({ method, headers }: ObjectRequest, stored: Validators, size: number): Selection {
  if (isNotModified(headers, stored)) return { status: 304 };
  const { range } = headers;
  if (method !== 'GET' || range === undefined || !rangeStillApplies(headers['if-range'], stored))
    return { status: 200 };
  return selectRange(range, size);
}

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

/** Several ranges at once are answered whole, as a server may. */
function selectRange(range: string, size: number): Selection {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.replaceAll(' ', ''));
  if (!match || (match[1] === '' && match[2] === '')) return { status: 200 };
  const [, first = '', last = ''] = match;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? { status: 416 } : { status: 206, start: size - length, end: size - 1 };
  }
  const start = Number(first);
  if (start >= size) return { status: 416 };
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return end < start ? { status: 200 } : { status: 206, start, end };
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
