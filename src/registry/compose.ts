// Pure: what a node and the channel it is in say together about an endpoint.

import type { Endpoint, EndpointId } from '../model.js';
import type { UnknownValue, Values } from './formats/format.js';
import { noValues } from './formats/values.js';
import type { ChannelNode, TreeNode } from './tree-node.js';

/** A node that is made again is another endpoint: the transaction that made it is part of the id. */
function endpointId(path: string, czxid: number): EndpointId {
  return `${path}@${czxid.toString(16)}` as EndpointId;
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

export function composeEndpoint(channel: ChannelNode, node: TreeNode): Endpoint | undefined {
  const { decoded, stat, path } = node;
  if (decoded.kind !== 'endpoint' || stat === undefined) return undefined;
  const isChild = node !== channel;
  const defaults = isChild && channel.decoded.kind === 'defaults' ? channel.decoded.values : noValues;
  const { load, bitrate, packetLoss } = valuesOver(decoded.values, defaults);
  // The sum grows with a report of either, also when the defaults come and go.
  const version = stat.version + (isChild ? (channel.stat?.version ?? 0) : 0);
  const id = endpointId(path, stat.czxid);
  return { id, channel: channel.channel, address: decoded.address, load, bitrate, packetLoss, version };
}
