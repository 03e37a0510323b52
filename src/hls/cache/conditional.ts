// Pure: validation of a stored copy (RFC 9111, section 4.3): the conditions of the request, and the stored header after a
// 304.

import type { IncomingHttpHeaders } from 'node:http';

/** The conditional header fields for the copy with this header; none where it has no validator. */
export function conditionsOf(stored: IncomingHttpHeaders | undefined): Record<string, string> {
  const conditions: Record<string, string> = {};
  if (stored?.etag !== undefined) conditions['if-none-match'] = stored.etag;
  if (stored?.['last-modified'] !== undefined) conditions['if-modified-since'] = stored['last-modified'];
  return conditions;
}

/** The stored header after a 304, which brings new metadata, but none about the body (RFC 9111, section 3.2). */
export function renewed(stored: IncomingHttpHeaders, by304: IncomingHttpHeaders): IncomingHttpHeaders {
  const { 'content-length': _length, 'content-type': _type, 'content-encoding': _encoding, ...fields } = by304;
  return { ...stored, ...fields };
}
