// Pure: what a node, its siblings and the channel it is in say together about endpoints.

import type { Endpoint, EndpointId, ServiceAddress } from '../model.js';
import type { UnknownValue, Values } from './formats/format.js';
import { noValues } from './formats/values.js';
import type { ChannelNode, TreeNode } from './tree-node.js';

/**
 * A node that is made again is another endpoint: the transaction that made it is part of the id. Of several endpoints in one
 * node each has its address in the id, not its place: the list may be written in another order.
 */
function endpointId(path: string, czxid: number, address: ServiceAddress | undefined): EndpointId {
  const place = address === undefined ? path : `${path}#${address}`;
  return `${place}@${czxid.toString(16)}` as EndpointId;
}

/** What a value that was given and meant nothing hides stays unknown: a default must not stand in for a broken report. */
function valuesOver(own: Values, defaults: Values): Values {
  const faulty = (field: UnknownValue['field']) => own.unknown.some((value) => value.field === field);
  return {
    load: faulty('load') ? undefined : (own.load ?? defaults.load),
    bitrate: faulty('bitrate') ? undefined : (own.bitrate ?? defaults.bitrate),
    packetLoss: faulty('packet_loss_rate') ? undefined : (own.packetLoss ?? defaults.packetLoss),
    unknown: own.unknown,
  };
}

/** The weight that a sibling gives to a shard of this channel; undefined: none does. */
function weightOf(shard: number | undefined, channel: ChannelNode): number | undefined {
  if (shard === undefined) return undefined;
  for (const vector of channel.vectors) {
    const weight = vector.decoded.kind === 'weights' ? vector.decoded.byShard.get(shard) : undefined;
    if (weight !== undefined) return weight;
  }
  return undefined;
}

const none: readonly Endpoint[] = [];

/** The endpoints that a node registers, each id once; those that serve nobody now are left out. */
export function composeEndpoints(channel: ChannelNode, node: TreeNode): readonly Endpoint[] {
  const { decoded, stat, path } = node;
  if (decoded.kind !== 'endpoints' || stat === undefined) return none;
  const isChild = node !== channel;
  const defaults = isChild && channel.decoded.kind === 'defaults' ? channel.decoded : undefined;
  // The sum grows with a report of either, also when the defaults come and go.
  const version = stat.version + (isChild ? (channel.stat?.version ?? 0) : 0);
  const { registrations } = decoded;
  const endpoints = new Map<EndpointId, Endpoint>();
  for (const { address, values, traits, eligible, shard } of registrations) {
    if (!eligible) continue;
    const id = endpointId(path, stat.czxid, registrations.length > 1 ? address : undefined);
    const { load, bitrate, packetLoss } = valuesOver(values, defaults?.values ?? noValues);
    const weight = weightOf(shard, channel);
    const said = { ...defaults?.traits, ...traits, ...(weight === undefined ? {} : { weight }) };
    endpoints.set(id, { ...said, id, channel: channel.channel, address, load, bitrate, packetLoss, version });
  }
  return [...endpoints.values()];
}
