// Pure: a URL with a token, as a platform hands it to a player.

import { canonicalPath, isSafePath } from '../upstream/path.js';
import { type Key, signToken } from './token.js';

export interface SigningTerms {
  /** What may be played; undefined: the channel that the URL names, see `prefixOf`. */
  readonly prefix: string | undefined;
  /** Epoch seconds. */
  readonly expiresAt: number;
  readonly client: string | undefined;
  readonly viewer: string | undefined;
}

/** The stem of a channel's own URL, `/live/news` of `/live/news.m3u8`; the whole path of any other. */
export function prefixOf(path: string): string {
  return path.replace(/(?<=[^/])\.(?:flv|m3u8?)$/i, '');
}

/**
 * The URL, signed. A path is taken for a URL without scheme and host. A token that it has already is replaced.
 *
 * @returns undefined: no `http:`, `https:`, `ws:` or `wss:` URL, and no path
 */
export function signUrl(url: string, parameter: string, terms: SigningTerms, key: Key): string | undefined {
  const parts = /^((?:https?|wss?):\/\/[^/?#]+)?(\/[^?#]*)(?:\?([^#]*))?$/i.exec(url);
  if (parts === null) return undefined;
  const [, authority = '', path = '', query = ''] = parts;
  if (!isSafePath(path)) return undefined;
  const prefix = terms.prefix ?? prefixOf(canonicalPath(path));
  const token = `${parameter}=${signToken({ ...terms, prefix }, key)}`;
  const others = query.split('&').filter((piece) => piece !== '' && !piece.startsWith(`${parameter}=`));
  return `${authority}${path}?${[...others, token].join('&')}`;
}
