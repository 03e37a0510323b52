// Pure: the token of a signed URL. It says who may play what until when, and is signed with a key that edges and the
// platform share. It is six fields with dots between:
//
//   KEY-ID . EXPIRY . PREFIX . CLIENT . VIEWER . SIGNATURE
//
// EXPIRY is in epoch seconds. PREFIX, CLIENT and VIEWER are base64url, the last two may be empty. SIGNATURE is the HMAC-SHA256,
// in base64url, of `weir1.` and all that stands before its dot. All characters may stand in a query as they are.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AccessRefusal } from '../metrics.js';

export interface Key {
  readonly id: string;
  readonly secret: string;
}

/** What a token grants. */
export interface Grant {
  /** What may be played: `/live/news` is that channel, `/live/` all below, anything else that path alone. */
  readonly prefix: string;
  /** Epoch seconds from which on it grants nothing. */
  readonly expiresAt: number;
  /** The address that alone may use it, of IPv6 its /64; undefined: any. */
  readonly client: string | undefined;
  /** Whom it was given to, for the log. */
  readonly viewer: string | undefined;
}

/** A longer token is malformed. */
const maxTokenChars = 2_048;
const shape = /^([\w-]{1,32})\.(\d{1,11})\.([\w-]+)\.([\w-]*)\.([\w-]*)\.([\w-]{43})$/;

const signatureOf = (signed: string, secret: string) => createHmac('sha256', secret).update(`weir1.${signed}`).digest();
const encode = (text: string | undefined) => Buffer.from(text ?? '').toString('base64url');
const decode = (text: string) => Buffer.from(text, 'base64url').toString('utf8');

/** The token that grants this. */
export function signToken({ prefix, expiresAt, client, viewer }: Grant, { id, secret }: Key): string {
  const signed = [id, String(Math.floor(expiresAt)), encode(prefix), encode(client), encode(viewer)].join('.');
  return `${signed}.${signatureOf(signed, secret).toString('base64url')}`;
}

/** What the token grants, whoever brings it, wherever and whenever: these three are the caller's to check. */
export function readToken(token: string, secretOf: (id: string) => string | undefined): Grant | AccessRefusal {
  const fields = token.length > maxTokenChars ? null : shape.exec(token);
  if (fields === null) return 'malformed';
  const [, id = '', expiry, prefix = '', client = '', viewer = '', signature = ''] = fields;
  const secret = secretOf(id);
  if (secret === undefined) return 'unknown_key';
  const expected = signatureOf(token.slice(0, -signature.length - 1), secret);
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(expected, given)) return 'forged';
  return {
    prefix: decode(prefix),
    expiresAt: Number(expiry),
    client: client === '' ? undefined : decode(client),
    viewer: viewer === '' ? undefined : decode(viewer),
  };
}

/**
 * Whether the grant's prefix covers a request.
 *
 * @param stem the part of the path that names the channel, `/live/news`; undefined: no channel was found
 * @param path canonical, as is the stem
 */
export function covers(prefix: string, path: string, stem: string | undefined): boolean {
  return prefix === path || prefix === stem || (prefix.endsWith('/') && path.startsWith(prefix));
}
