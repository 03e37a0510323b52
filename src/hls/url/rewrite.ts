// From a URI in an origin's playlist to the URL that a player asks the edge for, and the other way round. Pure.

import { WeirError } from '../../errors.js';
import { canonicalPath } from '../../upstream/path.js';
import { targetOf } from './cache-key.js';
import { type Pin, type PinKeys, renderPin } from './pin.js';
import { withoutDirectives } from './player-query.js';
import { join, without } from './query.js';
import { renderVariantPin, type VariantPin } from './variant-pin.js';

/** Where one playlist of one endpoint is, at the endpoint and in URLs of the edge. */
export interface Mapping {
  /** Where the playlist was fetched in the end: the base of relative URIs. */
  readonly base: URL;
  /** The origin of the endpoint's own URLs; that of `base`, unless the endpoint redirected. */
  readonly home: string;
  /** Path of the playlist as players ask for it. */
  readonly playlistPath: string;
  /** The part of players' URLs that names the channel: `/live/news`. */
  readonly stem: string;
  /** The endpoint's path for a player's path `stem + suffix`; `suffix` begins with one of `/`, `-`, `_` and `.`. */
  readonly forward: (suffix: string) => string;
  /** `endpointTag` of the endpoint. */
  readonly endpoint: string;
  readonly incarnation: string;
  /**
   * Parameters that are the edge's own matter at this endpoint, such as an origin's session: players never see them.
   */
  readonly hidden: ReadonlySet<string>;
  readonly keys: PinKeys;
}

export interface Located {
  /**
   * What stands in the playlist for players: relative, so that it survives a proxy in front of the edge; with
   * `queryMark`.
   */
  readonly uri: string;
  /** Path and query that a request for it has, but for the player's own query. */
  readonly target: string;
  /** Players put values into it that are not known here (EXT-X-DEFINE): nobody but they can ask for it. */
  readonly variable: boolean;
}

/** What a URI stands for: an object, or the index of a variant in its multivariant playlist. */
export type LocatedKind = ObjectKind | { readonly variant: VariantPin };

export interface ObjectKind {
  readonly ranged: boolean;
  readonly held: boolean;
  /** The origin's number of a segment. */
  readonly number?: number;
  /** Discontinuity sequence number of what a key or an initialisation section is for. */
  readonly discontinuity?: number;
}

/** Where players find a URI of an origin's playlist; undefined: it is not at this endpoint and stays as it is. */
export type Locate = (uri: string, kind: LocatedKind) => Located | undefined;

/** Stands in a URI where the query of the player who asks goes. No playlist can contain it. */
export const queryMark = '\u0001';

/** Characters by which a player's own query may make a playlist longer: it stands there once for each URI. */
const maxGrowthChars = 8 * 1024 * 1024;

/**
 * Puts the player's own query where a rendered playlist has its marks. No character of the query has a special meaning.
 *
 * @throws WeirError uri_too_long for a query that would make the playlist grow beyond 8 MiB
 */
export function withPlayerQuery(text: string, query: string): string {
  const parts = text.split(queryMark);
  if (query === '' || parts.length === 1) return parts.join('');
  if ((parts.length - 1) * (query.length + 1) > maxGrowthChars) {
    throw new WeirError('uri_too_long', { detail: 'The query is too long for a playlist of so many segments.' });
  }
  // A pin always follows.
  return parts.join(`${query}&`);
}

const delimiters = ['/', '-', '_', '.'] as const;
const mark = 'weir-mark';

/**
 * Where a player finds `uri`. Undefined: neither at this endpoint nor where it redirected its playlist to (another
 * host, `data:`, `skd:`), so that it stays as it is: the edge fetches only from endpoints that are registered, and from
 * where they send it.
 */
export function locate(uri: string, mapping: Mapping, kind: LocatedKind): Located | undefined {
  const url = resolve(uri, mapping.base);
  if (url === undefined) return undefined;
  const isHome = url.origin === mapping.home;
  if (!isHome && url.origin !== mapping.base.origin) return undefined;
  const suffix = isHome ? suffixOf(url.pathname, mapping) : undefined;
  const variable = variableReference.test(uri);
  // Players could not find the variable in a pin, and what is signed is not what they ask for.
  if (variable && (suffix === undefined || 'variant' in kind)) return undefined;
  const path = canonicalPath(mapping.stem + (suffix ?? `/${lastName(url.pathname)}`));
  const originQuery = withoutDirectives(without(url.search.slice(1), mapping.hidden));
  const pin =
    'variant' in kind
      ? renderVariantPin(kind.variant, join(path, originQuery), mapping.keys)
      : renderPin(pinOf(url, suffix, mapping, kind), mapping.keys);
  const target = targetOf(path, pin, originQuery);
  const led = join(relative(mapping.playlistPath, path), queryMark + target.slice(path.length + 1));
  return { uri: variable ? withReferences(led) : led, target, variable };
}

/** RFC 8216bis, section 4.3: `{$name}`. */
const variableReference = /\{\$[\w-]+\}/;

/** A URL has no braces in its path: references are written as players look for them. */
function withReferences(uri: string): string {
  return uri.replace(/%7B(\$[\w-]+)%7D/gi, (_, name: string) => `{${name}}`);
}

/** The parts of a URL that matter here. */
type UrlParts = Pick<URL, 'origin' | 'pathname' | 'search'>;

/** A name beside the playlist, of characters that no URL changes: what nearly all segments are. */
const plainName = /^[\w~-][\w.~-]*$/;
/** Reading a URL costs more than all else here, and a day of segments has many. */
const directories = new WeakMap<URL, UrlParts>();

/** undefined: no URL. */
function resolve(uri: string, base: URL): UrlParts | undefined {
  if (plainName.test(uri)) {
    let directory = directories.get(base);
    if (directory === undefined) {
      directory = {
        origin: base.origin,
        pathname: base.pathname.slice(0, base.pathname.lastIndexOf('/') + 1),
        search: '',
      };
      directories.set(base, directory);
    }
    return { origin: directory.origin, pathname: directory.pathname + uri, search: '' };
  }
  return URL.canParse(uri, base.href) ? new URL(uri, base.href) : undefined;
}

function pinOf(
  url: UrlParts,
  suffix: string | undefined,
  { endpoint, incarnation, home }: Mapping,
  { ranged, held, number, discontinuity }: ObjectKind,
): Pin {
  const place = url.origin === home ? url.pathname : url.origin + url.pathname;
  const known = number === undefined ? 0 : numberIn(url.pathname);
  const instance = number ?? discontinuity;
  return {
    endpoint,
    incarnation,
    ranged,
    held,
    instance: instance === known ? undefined : instance,
    original: suffix === undefined ? place : undefined,
  };
}

/** The last number in the name of a file: most packagers count there. What has the same name has the same number. */
function numberIn(pathname: string): number | undefined {
  const name = pathname.slice(pathname.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  let end = dot === -1 ? name.length : dot;
  while (end > 0 && !isDigit(name, end - 1)) end -= 1;
  let start = end;
  while (start > 0 && isDigit(name, start - 1)) start -= 1;
  return start === end || end - start > 15 ? undefined : Number(name.slice(start, end));
}

function isDigit(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 48 && code <= 57;
}

/** How `forward` writes paths that begin with one delimiter: what stands before and after the rest. */
interface Shape {
  readonly delimiter: string;
  readonly before: string;
  readonly after: string;
  /** The rest stands there once, so that nothing else can come of it. */
  readonly once: boolean;
}

const shapes = new WeakMap<Pick<Mapping, 'forward'>, readonly Shape[]>();

function shapesOf(mapping: Pick<Mapping, 'forward'>): readonly Shape[] {
  const known = shapes.get(mapping);
  if (known !== undefined) return known;
  const found = delimiters.flatMap((delimiter): Shape[] => {
    const probe = mapping.forward(delimiter + mark);
    const at = probe.indexOf(mark);
    if (at === -1) return [];
    const after = probe.slice(at + mark.length);
    return [{ delimiter, before: probe.slice(0, at), after, once: !after.includes(mark) }];
  });
  shapes.set(mapping, found);
  return found;
}

/** What `forward` takes to this path at the endpoint; undefined when no URL of the channel leads there. */
export function suffixOf(pathname: string, mapping: Pick<Mapping, 'forward'>): string | undefined {
  for (const { delimiter, before, after, once } of shapesOf(mapping)) {
    if (pathname.length <= before.length + after.length) continue;
    if (!pathname.startsWith(before) || !pathname.endsWith(after)) continue;
    const name = pathname.slice(before.length, pathname.length - after.length);
    const suffix = delimiter + name;
    if ((once && !name.startsWith('/')) || mapping.forward(suffix) === pathname) return suffix;
  }
  return undefined;
}

function lastName(pathname: string): string {
  return (pathname.split('/').at(-1) ?? '').replace(/[^\w.~%-]/g, '_') || 'object';
}

/** A reference from one absolute path to another. */
export function relative(from: string, to: string): string {
  const directory = from.slice(0, from.lastIndexOf('/') + 1);
  // Nearly always it lies beside or below.
  if (directory.length > 1 && to.length > directory.length && to.startsWith(directory)) {
    return reference(to.slice(directory.length));
  }
  const base = from.split('/').slice(0, -1);
  const goal = to.split('/');
  let shared = 0;
  while (shared < base.length && shared < goal.length - 1 && base[shared] === goal[shared]) shared += 1;
  if (shared <= 1) return to;
  return reference([...base.slice(shared).map(() => '..'), ...goal.slice(shared)].join('/'));
}

/** A first part with a colon would read as a scheme, an empty one as a host. */
function reference(path: string): string {
  return /^[^/]*:|^\//.test(path) || path === '' ? `./${path}` : path;
}
