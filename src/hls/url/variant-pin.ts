// The pin of a playlist that a multivariant playlist lists: which one lists it, and where in it.
//
//   weir=m<index>.<multivariant playlist>.<signature>

import { isSignature, type PinKeys, sign } from './pin.js';

/**
 * The pin of a variant says which master playlist lists it, and as the how manyth: an origin may know its variants only in a
 * session that the master begins, and another origin may name them otherwise.
 */
export interface VariantPin {
  /** Path of the master, behind the stem. */
  readonly master: string;
  readonly index: number;
}

/**
 * Signed together with what it is for, so that nobody but a master makes playlists that the players of a channel share.
 *
 * @param target path and query of the variant, without the pin
 */
export function renderVariantPin({ master, index }: VariantPin, target: string, keys: PinKeys): string {
  const name = `m${index}.${Buffer.from(master, 'latin1').toString('base64url')}`;
  return `${name}.${sign(name, target, keys)}`;
}

/** undefined: not such a pin, or nobody with our key has signed it for that target. */
export function parseVariantPin(text: string, target: string, keys: PinKeys): VariantPin | undefined {
  const match = /^(m(\d{1,5})\.([\w-]{1,4000}))\.([\w-]{16})$/.exec(text);
  if (!match) return undefined;
  const [, name = '', index, master = '', signature = ''] = match;
  if (!isSignature(signature, sign(name, target, keys))) return undefined;
  return { master: Buffer.from(master, 'base64url').toString('latin1'), index: Number(index) };
}
