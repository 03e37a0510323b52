// Pure: the endpoints that should be registered for the streams that are published.

import { parseServiceAddress } from '../net-address.js';
import { maxBitrateKbps } from '../registry/formats/values.js';
import { parseChannelName } from '../registry/names.js';
import type { Stream } from './stream.js';
import { addressOf, channelOf } from './template.js';

export interface Naming {
  /** Template of the channel's name. */
  readonly channel: string;
  /** Template of the address. */
  readonly address: string;
  /** The name or address by which edges reach this machine. */
  readonly host: string;
  /** Only streams of these apps; empty: of all. */
  readonly apps: readonly string[];
}

/** An endpoint as it should be registered. */
export interface Wanted {
  readonly channel: string;
  readonly address: string;
  /** Fraction 0..1. */
  readonly load: number | undefined;
  /** kbit/s. */
  readonly bitrate: number | undefined;
  /** Fraction 0..1. */
  readonly packetLoss: number | undefined;
}

/** A stream that is not registered, and why. */
export interface LeftOut {
  readonly stream: Stream;
  readonly why: 'name' | 'address' | 'taken';
}

/**
 * By channel. When the names of two streams make the same channel, the first stream by name has it: the order of a server's
 * answer must not matter.
 */
export function wantedOf(
  streams: readonly Stream[],
  load: number | undefined,
  naming: Naming,
): { readonly wanted: ReadonlyMap<string, Wanted>; readonly leftOut: readonly LeftOut[] } {
  const wanted = new Map<string, Wanted>();
  const leftOut: LeftOut[] = [];
  const ours = streams.filter(({ app }) => naming.apps.length === 0 || naming.apps.includes(app));
  for (const stream of ours.sort(byName)) {
    const channel = parseChannelName(channelOf(naming.channel, stream));
    const address = parseServiceAddress(addressOf(naming.address, stream, naming.host));
    if (channel === undefined) leftOut.push({ stream, why: 'name' });
    else if (address === undefined) leftOut.push({ stream, why: 'address' });
    else if (wanted.has(channel)) leftOut.push({ stream, why: 'taken' });
    else wanted.set(channel, { channel, address, load: within(load, 1), ...measured(stream) });
  }
  return { wanted, leftOut };
}

const measured = ({ bitrate, packetLoss }: Stream) => ({
  bitrate: rounded(within(bitrate, maxBitrateKbps)),
  packetLoss: within(packetLoss, 1),
});

/** A value that no measurement can have is unknown. */
function within(value: number | undefined, max: number): number | undefined {
  return value !== undefined && value >= 0 && value <= max ? value : undefined;
}

function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value);
}

function byName(a: Stream, b: Stream): number {
  const [one, other] = [[a.vhost, a.app, a.name].join('\n'), [b.vhost, b.app, b.name].join('\n')];
  return one < other ? -1 : one > other ? 1 : 0;
}
