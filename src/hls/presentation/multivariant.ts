// Multivariant playlists: their variants get URLs of the edge, and are found again at another origin. Pure.

import { WeirError } from '../../errors.js';
import { parseAttributes, setAttribute } from '../playlist/attributes.js';
import { type MultivariantPlaylist, renderTag } from '../playlist/model.js';
import type { Locate } from '../url/rewrite.js';

/** The playlists a multivariant playlist lists, in order: variants, renditions of EXT-X-MEDIA, I-frame playlists. */
export function variantUris(multivariant: MultivariantPlaylist): string[] {
  return multivariant.lines.flatMap((line) => {
    if ('uri' in line) return [line.uri];
    if (line.tag.name !== 'EXT-X-MEDIA' && line.tag.name !== 'EXT-X-I-FRAME-STREAM-INF') return [];
    const uri = parseAttributes(line.tag.value).get('URI');
    return uri === undefined ? [] : [uri];
  });
}

/**
 * The variant that a player means: the one of that path, or, where this origin names them otherwise, the one in that
 * place of the list.
 *
 * @param path path of the variant at this origin, as the player's path leads to it
 */
export function findVariant(uris: readonly URL[], path: string, index: number): URL | undefined {
  const placed = uris[index];
  if (placed?.pathname === path) return placed;
  return uris.find((uri) => uri.pathname === path) ?? placed;
}

/**
 * An origin that keeps sessions of its own may answer a media playlist with a multivariant playlist of one variant:
 * itself, with a query that is the session (SRS and its `hls_ctx`). Returns that variant; undefined for any other
 * multivariant playlist.
 */
export function sessionVariant(multivariant: MultivariantPlaylist, base: URL): URL | undefined {
  const [only, ...more] = variantUris(multivariant);
  if (only === undefined || more.length > 0 || !URL.canParse(only, base.href)) return undefined;
  const url = new URL(only, base.href);
  return url.origin === base.origin && url.pathname === base.pathname && url.search !== base.search ? url : undefined;
}

/** UTF-16 units: each variant for players repeats the multivariant playlist's path, which is the player's to choose. */
export const maxMultivariantChars = 4 * 1024 * 1024;

/**
 * @param suffix the multivariant playlist's own path behind the stem
 * @throws WeirError upstream_bad_response for a text that would be too long
 */
export function renderMultivariant(multivariant: MultivariantPlaylist, suffix: string, locate: Locate): string {
  let index = 0;
  let length = 0;
  const lead = (uri: string): string => {
    const variant = { multivariant: suffix, index };
    index += 1;
    const led = locate(uri, { variant })?.uri ?? uri;
    length += led.length;
    if (length > maxMultivariantChars)
      throw new WeirError('upstream_bad_response', { detail: 'The multivariant is too long.' });
    return led;
  };
  const lines = multivariant.lines.map((line) => {
    if ('uri' in line) return lead(line.uri);
    const { name, value } = line.tag;
    const uri = parseAttributes(value).get('URI');
    if (uri === undefined) return renderTag(line.tag);
    if (name === 'EXT-X-MEDIA' || name === 'EXT-X-I-FRAME-STREAM-INF') {
      return `#${name}:${setAttribute(value, 'URI', `"${lead(uri)}"`)}`;
    }
    if (name === 'EXT-X-SESSION-KEY' || name === 'EXT-X-SESSION-DATA') {
      const located = locate(uri, { ranged: false, held: false });
      return `#${name}:${setAttribute(value, 'URI', `"${located?.uri ?? uri}"`)}`;
    }
    return renderTag(line.tag);
  });
  return `${lines.join('\n')}\n`;
}
