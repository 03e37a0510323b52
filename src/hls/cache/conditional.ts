// Pure: how it is asked whether a stored copy still holds, and what the answer that it does changes (RFC 9111, section
// 4.3).

import type { IncomingHttpHeaders } from 'node:http';

/** The header fields that ask only whether the copy with this header still holds. */
export function conditionsOf(stored: IncomingHttpHeaders | undefined): Record<string, string> {
  const conditions: Record<string, string> = {};
  if (stored?.etag !== undefined) conditions['if-none-match'] = stored.etag;
  if (stored?.['last-modified'] !== undefined) conditions['if-modified-since'] = stored['last-modified'];
  return conditions;
}

/** A 304 brings new metadata, but says nothing of the body (RFC 9111, section 3.2). */
export function renewed(stored: IncomingHttpHeaders, by304: IncomingHttpHeaders): IncomingHttpHeaders {
  const { 'content-length': _length, 'content-type': _type, 'content-encoding': _encoding, ...fields } = by304;
  return { ...stored, ...fields };
}
