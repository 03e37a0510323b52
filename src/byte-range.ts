// Pure: one byte range of a known body (RFC 9110, section 14).

/** Half-open: `end` is the offset after the last byte. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * First and last position as written, either of which may be empty; undefined for anything but one range of bytes. Several
 * ranges at once are answered whole, as a server may.
 */
function positionsOf(header: string): [first: string, last: string] | undefined {
  if (header.length > 100) return undefined;
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.replaceAll(' ', ''));
  const [first, last] = [match?.[1] ?? '', match?.[2] ?? ''];
  if (first === '' && last === '') return undefined;
  return first !== '' && last !== '' && Number(last) < Number(first) ? undefined : [first, last];
}

/** Whether a Range header asks for one range of bytes, which the length of the body then decides. */
export function isByteRange(header: string): boolean {
  return positionsOf(header) !== undefined;
}

/**
 * What a Range header asks of `length` bytes. Undefined, the whole body, for none, for several ranges and for anything
 * malformed: a server may ignore those.
 */
export function byteRange(header: string | undefined, length: number): ByteRange | 'unsatisfiable' | undefined {
  const positions = header === undefined ? undefined : positionsOf(header);
  if (positions === undefined) return undefined;
  const [first, last] = positions;
  if (first === '') {
    const suffix = Math.min(Number(last), length);
    return suffix === 0 ? 'unsatisfiable' : { start: length - suffix, end: length };
  }
  const start = Number(first);
  if (start >= length) return 'unsatisfiable';
  return { start, end: last === '' ? length : Math.min(Number(last) + 1, length) };
}
