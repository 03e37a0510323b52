// A playlist ready to be sent.

import { createHash } from 'node:crypto';
import { withPlayerQuery } from './locate.js';

export interface Rendered {
  readonly kind: 'media' | 'master';
  /** With marks where a player's own query goes. */
  readonly text: string;
  /** For players without a query of their own. */
  readonly body: Buffer;
  readonly etag: string;
  /** Monotonic ms at which the endpoint was asked, or answered a request that it held. */
  readonly at: number;
}

/** @param before what was sent until now: it stays where the text is the same */
export function render(kind: Rendered['kind'], text: string, at: number, before?: Rendered): Rendered {
  if (before?.text === text) return { ...before, at };
  const body = Buffer.from(withPlayerQuery(text, ''));
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`;
  return { kind, text, body, etag, at };
}
