// A playlist ready to be sent.

import { createHash } from 'node:crypto';
import { withPlayerQuery } from '../url/rewrite.js';
import { ownedBytes } from './owned-text.js';

export interface Rendered {
  readonly kind: 'media' | 'multivariant';
  /** With marks where a player's own query goes. */
  readonly text: string;
  /** For players without a query of their own. */
  readonly body: Buffer;
  readonly etag: string;
  /** Bytes in memory of a UTF-16 unit of its text: V8 gives each of them two once one of them needs it. */
  readonly bytesPerChar: 1 | 2;
  /** Monotonic ms at which the endpoint was asked, or answered a request that it held. */
  readonly at: number;
}

/**
 * A playlist with its text, its bytes and its entity tag.
 *
 * @param at monotonic ms for `Rendered.at`
 * @param before what was sent until now: its bytes are used again where the text is the same
 */
export function render(kind: Rendered['kind'], text: string, at: number, before?: Rendered): Rendered {
  if (before?.text === text) return { ...before, at };
  const plain = withPlayerQuery(text, '');
  const body = ownedBytes(plain);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`;
  return { kind, text, body, etag, bytesPerChar: body.length > plain.length ? 2 : 1, at };
}

/** Bytes in memory. */
export function renderedBytes({ text, body, bytesPerChar: unit }: Rendered): number {
  return unit * text.length + body.length;
}
