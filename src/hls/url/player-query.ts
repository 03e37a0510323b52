// Pure: the query of a player's request for HLS, taken apart.

import { type PinKeys, pinParameter } from './pin.js';
import { join, nameOf, pieces, without } from './query.js';
import { parseVariantPin, type VariantPin } from './variant-pin.js';

const directiveNames: ReadonlySet<string> = new Set([pinParameter, '_HLS_msn', '_HLS_part', '_HLS_skip']);

/** What low-latency players ask of a playlist (RFC 8216bis, section 6.2.5.2), in the numbers that players see. */
export interface Directives {
  readonly sequence: number | undefined;
  readonly part: number | undefined;
  readonly skip: boolean;
}

/**
 * A query has three parts. What stands before the pin is the player's own (tokens): it goes to the origin with
 * everything the player asks for, and sets apart what is fetched for it. The pin stays here. What follows it is the
 * origin's own.
 */
export interface PlayerQuery {
  readonly own: string;
  /** As written; empty when there is none. */
  readonly pin: string;
  readonly originQuery: string;
  readonly directives: Directives;
}

/** @param query with its question mark, or empty */
export function parseQuery(query: string): PlayerQuery {
  if (query === '') return noQuery;
  const own: string[] = [];
  const originQuery: string[] = [];
  let pin: string | undefined;
  const directives = { sequence: undefined as number | undefined, part: undefined as number | undefined, skip: false };
  for (const piece of pieces(query.slice(1))) {
    const name = nameOf(piece);
    const value = piece.slice(name.length + 1);
    if (name === '_HLS_msn') directives.sequence = integer(value);
    else if (name === '_HLS_part') directives.part = integer(value);
    else if (name === '_HLS_skip') directives.skip = value === 'YES' || value === 'v2';
    else if (name === pinParameter) pin ??= value;
    // A quote would end the attribute of a playlist that the query is written into.
    else if (pin === undefined) own.push(piece.replaceAll('"', '%22'));
    else originQuery.push(piece);
  }
  return { own: own.join('&'), pin: pin ?? '', originQuery: originQuery.join('&'), directives };
}

/**
 * A player's query in two: what players are told apart by, and what only goes into the URIs of this player's playlists
 * (`hls.keyedParameters`). Pins, directives and what follows a pin are not the player's to choose: they stay.
 *
 * @param query with its question mark, or empty
 * @param keyed names of parameters that count
 */
export function splitQuery(
  query: string,
  keyed: ReadonlySet<string>,
): { readonly query: string; readonly carried: string } {
  const kept: string[] = [];
  const carried: string[] = [];
  let hasPin = false;
  for (const piece of pieces(query.slice(1))) {
    const name = nameOf(piece);
    if (hasPin || keyed.has(name) || directiveNames.has(name)) kept.push(piece);
    else carried.push(piece.replaceAll('"', '%22'));
    hasPin ||= name === pinParameter;
  }
  return { query: kept.length === 0 ? '' : `?${kept.join('&')}`, carried: carried.join('&') };
}

const noQuery: PlayerQuery = {
  own: '',
  pin: '',
  originQuery: '',
  directives: { sequence: undefined, part: undefined, skip: false },
};

/** Of an origin's query, what comes back as such with a player's request. */
export function withoutDirectives(query: string): string {
  return without(query, directiveNames);
}

function integer(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Which playlist of a session is meant. */
export interface PlaylistName {
  /** Path behind the stem. */
  readonly suffix: string;
  /** As written, where a multivariant playlist of the edge listed it; else empty. */
  readonly pin: string;
  readonly variant: VariantPin | undefined;
  /** The origin's part of the query, as the multivariant playlist listed it. */
  readonly originQuery: string;
}

/**
 * The playlist that a request means. It has a pin only where a multivariant playlist of the edge listed it with the same
 * query. Without a pin the whole query is the player's own: players share nothing that one of them made up.
 *
 * @param stem and suffix are canonical paths
 * @returns the name, and the player's own query
 */
export function playlistAsked(
  { own, pin, originQuery }: PlayerQuery,
  stem: string,
  suffix: string,
  keys: PinKeys,
): PlaylistName & { readonly own: string } {
  const variant = pin === '' ? undefined : parseVariantPin(pin, join(stem + suffix, originQuery), keys);
  if (variant !== undefined) return { own, suffix, pin, variant, originQuery };
  return { own: [own, originQuery].filter((part) => part !== '').join('&'), suffix, pin: '', variant, originQuery: '' };
}
