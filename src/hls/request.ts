// Pure: what a player's request for HLS says, once its channel is known.

import { createHash } from 'node:crypto';
import { type Pin, type PinKeys, parsePin, pinParameter } from './pin.js';
import { join, nameOf, pieces } from './query.js';

/** What low-latency players ask of a playlist (RFC 8216bis, section 6.2.5.2), in the numbers that players see. */
export interface Directives {
  readonly sequence: number | undefined;
  readonly part: number | undefined;
  readonly skip: boolean;
}

/**
 * A query has three parts. What stands before the pin is the player's own (tokens): it goes to the origin with everything
 * the player asks for, and sets apart what is fetched for it. The pin stays here. What follows it is the origin's own.
 */
export interface PlayerQuery {
  readonly own: string;
  /** As written; empty when there is none. */
  readonly pin: string;
  readonly origins: string;
  readonly directives: Directives;
}

export function parseQuery(query: string): PlayerQuery {
  if (query === '') return noQuery;
  const own: string[] = [];
  const origins: string[] = [];
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
    else origins.push(piece);
  }
  return { own: own.join('&'), pin: pin ?? '', origins: origins.join('&'), directives };
}

const noQuery: PlayerQuery = {
  own: '',
  pin: '',
  origins: '',
  directives: { sequence: undefined, part: undefined, skip: false },
};

function integer(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/**
 * What must not be shared: players whose query or credentials differ may be given different bytes. Parameters that a setting
 * names do not count. The credentials enter as a hash, since the result is a key that lives long.
 */
export function partitionOf(own: string, unkeyed: ReadonlySet<string>, authorization: string | undefined): string {
  const keyed =
    own === ''
      ? ''
      : pieces(own)
          .filter((piece) => !unkeyed.has(nameOf(piece)))
          .join('&');
  if (authorization === undefined) return keyed;
  return `${keyed} ${createHash('sha256').update(authorization).digest('base64url')}`;
}

/** The key of an object: whose it is, and what a player's request for it looks like without the player's own query. */
export function objectKey(partition: string, target: string): string {
  return `${partition} ${target}`;
}

/** Path, pin and origin's query as a playlist would list them. */
export function targetOf(path: string, pin: string, origins: string): string {
  if (pin === '') return join(path, origins);
  return join(path, origins === '' ? `${pinParameter}=${pin}` : `${pinParameter}=${pin}&${origins}`);
}

/**
 * The pin of a variant says which master playlist lists it, and as the how manyth: an origin may know its variants only in a
 * session that the master begins, and another origin may name them otherwise.
 */
export interface VariantPin {
  readonly master: string;
  readonly index: number;
}

export function renderVariantPin(pin: VariantPin): string {
  return `m${pin.index}.${Buffer.from(pin.master, 'latin1').toString('base64url')}`;
}

export function parseVariantPin(text: string): VariantPin | undefined {
  const match = /^m(\d{1,4})\.([\w-]{1,1000})$/.exec(text);
  if (!match) return undefined;
  const master = Buffer.from(match[2] ?? '', 'base64url').toString('latin1');
  return /^[-_./][\x21-\x7e]*\.m3u8?$/i.test(master) && !master.includes('..')
    ? { master, index: Number(match[1]) }
    : undefined;
}

export function readPin(text: string, keys: PinKeys): Pin | undefined {
  return text === '' ? undefined : parsePin(text, keys);
}
