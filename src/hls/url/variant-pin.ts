// The pin of a playlist that a multivariant playlist lists: names that multivariant playlist, and the index in it.
//
//   weir=m<index>.<multivariant playlist>.<signature>

import { isSigned, type PinKeys, sign } from './pin.js';

/**
 * The pin of a variant says which multivariant playlist lists it, and the index of the variant in it: an origin may
 * know its variants only in a session that the multivariant playlist begins, and another origin may name them
 * otherwise.
 */
export interface VariantPin {
  /** Path of the multivariant playlist, behind the stem. */
  readonly multivariant: string;
  readonly index: number;
}

/**
 * Signed together with what it is for: only a multivariant playlist makes playlists that the players of a channel
 * share.
 *
 * @param target path and query of the variant, without the pin
 */
export function renderVariantPin({ multivariant, index }: VariantPin, target: string, keys: PinKeys): string {
  const name = `m${index}.${Buffer.from(multivariant, 'latin1').toString('base64url')}`;
  return `${name}.${sign(name, target, keys)}`;
}

/** undefined: not such a pin, or not signed with our key for that target. */
export function parseVariantPin(text: string, target: string, keys: PinKeys): VariantPin | undefined {
  const match = /^(m(\d{1,5})\.([\w-]{1,4000}))\.([\w-]{16})$/.exec(text);
  if (!match) return undefined;
  const [, name = '', index, multivariant = '', signature = ''] = match;
  if (!isSigned(signature, name, target, keys)) return undefined;
  return { multivariant: Buffer.from(multivariant, 'base64url').toString('latin1'), index: Number(index) };
}
