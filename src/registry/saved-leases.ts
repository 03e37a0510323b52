// Pure: leases as text and back. Leases from the text are checked like those of the API, and those that have expired by the
// wall clock are left out.

import { z } from 'zod';
import type { ChannelName } from '../model.js';
import { parseServiceAddress } from '../net-address.js';
import type { Lease, LeaseInfo } from './embedded.js';
import { checkedTraits } from './formats/traits.js';
import { readValues } from './formats/values.js';
import { parseChannelName } from './names.js';

const formatVersion = 1;

/** A lease to restore. */
export interface SavedLease {
  readonly channel: ChannelName;
  readonly name: string;
  readonly info: LeaseInfo;
  readonly isDrained: boolean;
  /** The time that is left of it. */
  readonly ttlMs: number;
}

const fileSchema = z.object({
  version: z.literal(formatVersion),
  leases: z.array(
    z.looseObject({
      channel: z.string(),
      name: z.string(),
      address: z.string(),
      eligible: z.boolean(),
      isDrained: z.boolean(),
      expiresAt: z.iso.datetime().transform((text) => Date.parse(text)),
    }),
  ),
});

/** One moment by both clocks: monotonic ms, which the leases use, and epoch ms. */
export interface Clocks {
  readonly monotonic: number;
  readonly wall: number;
}

/** The leases as text. They expire by the wall clock there. */
export function writeLeases(leases: Iterable<Lease>, now: Clocks): string {
  const all = [...leases].map(({ channel, name, endpoint, eligible, isLeaving, isDrained, expiresAt }) => {
    const { id: _, version: __, draining: ___, ...said } = endpoint;
    const until = new Date(now.wall + expiresAt - now.monotonic).toISOString();
    return { ...said, channel, name, eligible, draining: isLeaving, isDrained, expiresAt: until };
  });
  return JSON.stringify({ version: formatVersion, leases: all });
}

/**
 * @param wall epoch ms
 * @throws Error for a text that `writeLeases` did not write
 */
export function readLeases(text: string, wall: number): SavedLease[] {
  return fileSchema.parse(JSON.parse(text)).leases.flatMap((saved) => {
    const channel = parseChannelName(saved.channel);
    const name = parseChannelName(saved.name);
    const address = parseServiceAddress(saved.address);
    const ttlMs = saved.expiresAt - wall;
    if (channel === undefined || name === undefined || address === undefined || ttlMs <= 0) return [];
    const { load, bitrate, packetLoss } = readValues({ ...saved, packet_loss_rate: saved['packetLoss'] });
    const info = { address, load, bitrate, packetLoss, traits: checkedTraits(saved), eligible: saved.eligible };
    return { channel, name, info, isDrained: saved.isDrained, ttlMs };
  });
}
