// Text of any characters for properties. The unit `binary` of fast-check does the same, and takes more than a second to set up.

import fc from 'fast-check';

const surrogates = { first: 0xd800, count: 0x800 };

/** Any code point but half a pair, small ones as often as all others together. */
const character = fc
  .oneof(fc.integer({ min: 0, max: 0xff }), fc.integer({ min: 0x100, max: 0x10ffff - surrogates.count }))
  .map((number) => String.fromCodePoint(number < surrogates.first ? number : number + surrogates.count));

/** Also what is dangerous as the name of a property, such as `__proto__`. */
export function anyText(
  constraints: { readonly minLength?: number; readonly maxLength?: number } = {},
): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 20, arbitrary: fc.string({ ...constraints, unit: character }) },
    { weight: 1, arbitrary: fc.string(constraints) },
  );
}
