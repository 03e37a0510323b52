// An endpoint as people and programs write it, with ChannelInfo's fields: checked as a whole, with an error for each fault.

import { z } from 'zod';
import type { ServiceAddress, Traits } from '../../model.js';
import { parseServiceAddress, withPath } from '../../net-address.js';
import type { Values } from './format.js';
import { expectedTraits, faultsOfTraits, readTraits } from './traits.js';
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

const entry = z.object(endpointFields);

/** What an entry registers. */
export interface WrittenEntry extends Omit<Values, 'unknown'> {
  readonly address: ServiceAddress;
  readonly traits: Traits;
  /** False: it serves nobody now (`status: off`). */
  readonly eligible: boolean;
}

/** The entry of fields that `endpointFields` checked, or the faults of its traits as sentences. */
export function readEntry(
  fields: z.output<typeof entry>,
): WrittenEntry | { readonly faults: readonly [string, ...string[]] } {
  const [fault, ...more] = faultsOfTraits(fields);
  if (fault !== undefined) return { faults: [fault, ...more] };
  const { service_address: given, load, bitrate, packet_loss_rate: loss } = fields;
  const { traits, eligible, path } = readTraits(fields);
  const address = path === undefined ? given : withPath(given, path);
  const values = { load: load ?? undefined, bitrate: bitrate ?? undefined, packetLoss: loss ?? undefined };
  return { address, ...values, traits, eligible };
}
