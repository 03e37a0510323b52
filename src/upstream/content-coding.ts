// Undoes the content coding of a body, within a bound: a few kilobytes of an origin may decode to gigabytes.

import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw, type ZlibOptions } from 'node:zlib';
import { WeirError } from '../errors.js';

type Decode = (body: Buffer, options: ZlibOptions) => Promise<Buffer>;

const inflateWrapped: Decode = promisify(inflate);
const inflateBare: Decode = promisify(inflateRaw);

/** RFC 9110, section 8.4.1. Some servers send `deflate` without the zlib header that it should have. */
const decoders: Readonly<Record<string, Decode>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: (body, options) => ((body[0] ?? 0) % 16 === 8 ? inflateWrapped(body, options) : inflateBare(body, options)),
  br: promisify(brotliDecompress),
};

/**
 * The body without its coding.
 *
 * @param coding the field Content-Encoding
 * @param maxBytes of the result
 * @throws WeirError upstream_bad_response for a coding that is not known, a broken body, and a result that is too long
 */
export async function decodeBody(body: Buffer, coding: string | undefined, maxBytes: number): Promise<Buffer> {
  const name = coding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return body;
  const decode = Object.hasOwn(decoders, name) ? decoders[name] : undefined;
  if (decode === undefined) {
    throw new WeirError('upstream_bad_response', {
      detail: 'The endpoint answers in a content coding that nobody asked for.',
    });
  }
  try {
    return await decode(body, { maxOutputLength: maxBytes });
  } catch (cause) {
    throw new WeirError('upstream_bad_response', {
      detail: 'The body does not decode, or is too long decoded.',
      cause,
    });
  }
}
