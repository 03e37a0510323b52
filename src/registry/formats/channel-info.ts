// weir's own format, ChannelInfo:
// {"service_address":"http://10.0.0.1:8080/live-stream","load":0.75,"bitrate":1200,"packet_loss_rate":0.02}

import { parseServiceAddress } from '../../net-address.js';
import { type Format, oneEndpoint, type Values } from './format.js';
import { readValues } from './values.js';

const fields = ['service_address', 'load', 'bitrate', 'packet_loss_rate'];

/** Any JSON object with one of the fields. Without an address a channel's data are defaults, an endpoint's are skipped. */
export const channelInfo: Format = ({ json, level }) => {
  if (json === undefined || !fields.some((field) => Object.hasOwn(json, field))) return undefined;
  const given = Object.hasOwn(json, 'service_address') ? json['service_address'] : undefined;
  if (given === undefined || given === null || given === '') {
    // Another format may carry these values beside an address of its own.
    if (Object.hasOwn(json, 'ip')) return undefined;
    return level === 'channel'
      ? { kind: 'defaults', values: readValues(json), traits: {} }
      : { kind: 'skipped', reason: 'no_address' };
  }
  const address = typeof given === 'string' ? parseServiceAddress(given) : undefined;
  if (address === undefined) return { kind: 'skipped', reason: 'bad_address' };
  return oneEndpoint(address, readValues(json));
};

/** What weir writes; unknown values are left out. */
export function encodeChannelInfo(address: string, { load, bitrate, packetLoss }: Omit<Values, 'unknown'>): string {
  return JSON.stringify({ service_address: address, load, bitrate, packet_loss_rate: packetLoss });
}
