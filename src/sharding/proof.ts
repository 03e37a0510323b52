// Pure: how two edges prove to each other that they know the secret of the fleet, and never say it. Three lines on a new
// connection:
//
//   answerer   weir-peer/1 NONCE
//   caller     ID NONCE PROOF
//   answerer   PROOF
//
// Each proof is an HMAC (RFC 2104) of both nonces and both ids under the secret, with a word of its own for each side: so none
// can be replayed on another connection, sent back to its maker, or passed on to an edge that it was not meant for.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const protocol = 'weir-peer/1';
const nonceShape = /^[A-Za-z0-9_-]{43}$/;
const idShape = /^[A-Za-z0-9._:/-]{1,511}$/;

/** Bytes of a line at most, without its end. */
export const maxLineBytes = 768;

/** Both ends of a connection, by the ids of their edges. */
export interface Ends {
  readonly caller: string;
  readonly answerer: string;
}

interface Nonces {
  readonly caller: string;
  readonly answerer: string;
}

/** The id of an edge in all of its fleet. */
export function idOf(site: string, name: string): string {
  return `${site}/${name}`;
}

/** 256 random bits. */
export function newNonce(): string {
  return randomBytes(32).toString('base64url');
}

/** The first line. */
export function challenge(nonce: string): string {
  return `${protocol} ${nonce}`;
}

/** The nonce of a first line; undefined: it is none. */
export function readChallenge(line: string): string | undefined {
  const [said, nonce = '', ...rest] = line.split(' ');
  return said === protocol && nonceShape.test(nonce) && rest.length === 0 ? nonce : undefined;
}

/** What an end knows when it is its turn. */
export interface Exchange {
  readonly secret: string;
  readonly ends: Ends;
  readonly nonces: Nonces;
}

/** The second line. */
export function callerLine(exchange: Exchange): string {
  return `${exchange.ends.caller} ${exchange.nonces.caller} ${proofOf('caller', exchange)}`;
}

/** What the second line says of the caller; undefined: it does not prove that it knows the secret and means this answerer. */
export function readCaller(
  line: string,
  { secret, answerer, nonce }: { readonly secret: string; readonly answerer: string; readonly nonce: string },
): Exchange | undefined {
  const [caller = '', callers = '', proof = '', ...rest] = line.split(' ');
  if (!idShape.test(caller) || !nonceShape.test(callers) || rest.length > 0) return undefined;
  const exchange = { secret, ends: { caller, answerer }, nonces: { caller: callers, answerer: nonce } };
  return isSame(proof, proofOf('caller', exchange)) ? exchange : undefined;
}

/** The third line. */
export function answererLine(exchange: Exchange): string {
  return proofOf('answerer', exchange);
}

/** Whether the third line proves that the answerer knows the secret and is who was called. */
export function isAnswerer(line: string, exchange: Exchange): boolean {
  return isSame(line, proofOf('answerer', exchange));
}

function proofOf(who: keyof Ends, { secret, ends, nonces }: Exchange): string {
  const fields = [protocol, who, nonces.answerer, nonces.caller, ends.answerer, ends.caller];
  return createHmac('sha256', secret).update(fields.join('\n')).digest('base64url');
}

/** In a time that does not tell where they differ. */
function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
