// An endpoint as people and programs write it, with ChannelInfo's fields: checked as a whole, with an error for each fault.

import { z } from 'zod';
import { parseServiceAddress } from '../../net-address.js';
import { expectedTraits } from './traits.js';
import { maxBitrateKbps } from './values.js';

const value = (max: number, expected: string) =>
  z.number(`expected ${expected}`).min(0, `expected ${expected}`).max(max, `expected ${expected}`).nullish();

/** `faultsOfTraits` checks these values. */
const traits = Object.fromEntries(Object.keys(expectedTraits).map((field) => [field, z.unknown().optional()]));

/** For a strict object, which allows no other field. */
export const endpointFields = {
  ...traits,
  service_address: z.string('expected host:port or an http(s) URL').transform((text, context) => {
    const address = parseServiceAddress(text);
    if (address !== undefined) return address;
    context.addIssue({ code: 'custom', message: 'expected host:port or an http(s) URL' });
    return z.NEVER;
  }),
  load: value(1, 'a fraction from 0 to 1, or null for unknown'),
  bitrate: value(maxBitrateKbps, 'kbit/s, a number from 0 to 1e9, or null for unknown'),
  packet_loss_rate: value(1, 'a fraction from 0 to 1, or null for unknown'),
};
