// The pin: the query parameter that leads a segment's URL back to the endpoint that listed it. Any process of weir can read
// it, and a player cannot use it to reach anything that weir would not serve anyway.
//
//   weir=<endpoint>[.<incarnation>[.<flags>[.<original place>.<signature>]]]
//
// <endpoint> is a keyed hash of a service address: it only chooses among the endpoints that the snapshot lists for the
// channel. <original place> is there only when no URL of the channel leads to the object: a path at the origin, or the URL
// at a server that the endpoint redirected its playlist to. It is signed, so that players cannot make one up.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ServiceAddress } from '../../model.js';

/** The query parameter. It never reaches an origin. */
export const pinParameter = 'weir';

export interface Pin {
  /** `endpointTag` of the service address. */
  readonly endpoint: string;
  /** Tells apart two objects of one endpoint and one path, when the origin began to count anew. Empty at first. */
  readonly incarnation: string;
  /** The object is a byte range of a resource: the player's Range is a part of its name. */
  readonly ranged: boolean;
  /** A part of a low-latency stream: the origin may hold the answer until there is something to send. */
  readonly held: boolean;
  /**
   * Tells apart two objects of one name, where an origin uses names again: the number of a segment, unless its name
   * says it, the discontinuity of a key or an initialisation section, unless it is the first.
   */
  readonly instance: number | undefined;
  /** Path at the origin, or URL elsewhere, where it differs from what the player's URL gives. */
  readonly original: string | undefined;
}

export interface PinKeys {
  /** For the names of endpoints. All edges of a fleet have to have the same one. */
  readonly naming: string;
  /** For the signature of paths and places. */
  readonly signing: string | Buffer;
  /** What was signed with before: what players have of it still holds. */
  readonly former?: string | Buffer | undefined;
}

const shape = /^([\w-]{8})(?:\.([a-z0-9]{0,12})(?:\.([rh]{0,2})(\d{0,16})(?:\.([\w-]{1,4000})\.([\w-]{16}))?)?)?$/;

/** 48 bits of a keyed hash: short, and enough to tell the endpoints of one channel apart. */
export function endpointTag(address: ServiceAddress, keys: PinKeys): string {
  return createHmac('sha256', keys.naming).update(address).digest('base64url').slice(0, 8);
}

/** The value of the query parameter, with a signature where the pin says a place of its own. */
export function renderPin(pin: Pin, keys: PinKeys): string {
  const flags = `${pin.ranged ? 'r' : ''}${pin.held ? 'h' : ''}${pin.instance ?? ''}`;
  const path = pin.original === undefined ? '' : Buffer.from(pin.original, 'latin1').toString('base64url');
  const fields = [pin.endpoint, pin.incarnation, flags];
  if (path !== '') fields.push(path, sign(pin.endpoint, path, keys));
  while (fields.at(-1) === '') fields.pop();
  return fields.join('.');
}

/** The pin as written in a query; undefined as `parsePin`, and for an empty text. */
export function readPin(text: string, keys: PinKeys): Pin | undefined {
  return text === '' ? undefined : parsePin(text, keys);
}

/** undefined: not a pin, or one whose original place is not signed with our key. */
export function parsePin(text: string, keys: PinKeys): Pin | undefined {
  const match = shape.exec(text);
  if (!match) return undefined;
  const [, endpoint = '', incarnation = '', flags = '', instance = '', path, signature = ''] = match;
  if (path !== undefined && !isSigned(signature, endpoint, path, keys)) return undefined;
  return {
    endpoint,
    incarnation,
    ranged: flags.includes('r'),
    held: flags.includes('h'),
    instance: instance === '' ? undefined : Number(instance),
    original: path === undefined ? undefined : Buffer.from(path, 'base64url').toString('latin1'),
  };
}

/** Whether that signature of a pin is one of ours. */
export function isSigned(signature: string, name: string, path: string, keys: PinKeys): boolean {
  if (isSame(signature, sign(name, path, keys))) return true;
  return keys.former !== undefined && isSame(signature, sign(name, path, { ...keys, signing: keys.former }));
}

function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(expected), Buffer.from(given));
}

/** 96 bits that nobody without the key can make. */
export function sign(name: string, path: string, keys: PinKeys): string {
  return createHmac('sha256', keys.signing).update(`${name} ${path}`).digest('base64url').slice(0, 16);
}
