// weir's own format, ChannelInfo:
// {"service_address":"http://10.0.0.1:8080/live-stream","load":0.75,"bitrate":1200,"packet_loss_rate":0.02,
//  "status":"live","weight":1,"zone":"north","path":"/live/{channel}{rest}","priority":0,"report":"/servers/a"}

import type { ServiceAddress, Traits } from '../../model.js';
import { parseServiceAddress, withPath } from '../../net-address.js';
import { traitsByField } from '../../traits.js';
import { type Format, type JsonObject, oneEndpoint, type Values } from './format.js';
import { readTraits, type Status, saidFields } from './traits.js';
import { own, readValues } from './values.js';

const values = ['load', 'bitrate', 'packet_loss_rate'];
/** Address fields of other formats, which may have the same values. */
const othersAddress = ['ip', 'host', 'address', 'serviceEndpoint'];

const hasOne = (json: JsonObject, fields: readonly string[]) => fields.some((field) => Object.hasOwn(json, field));

/** The address in the data; without one, the name of a child that is named like an address. */
function addressOf(given: unknown, name: string, isChild: boolean): ServiceAddress | 'none' | 'bad' {
  if (given !== undefined && given !== '') return (typeof given === 'string' && parseServiceAddress(given)) || 'bad';
  return (isChild && parseServiceAddress(name)) || 'none';
}

/** Accepts any JSON object with one of the fields. Without an address, a channel's data are defaults and an endpoint is skipped. */
export const channelInfo: Format = ({ json, level, name }) => {
  if (json === undefined) return undefined;
  const given = own(json, 'service_address');
  const isSaid = given !== undefined && given !== '';
  if (!isSaid && hasOne(json, othersAddress)) return undefined;
  if (!isSaid && !hasOne(json, ['service_address', ...values, ...saidFields])) return undefined;
  const address = addressOf(given, name, level === 'endpoint');
  if (address === 'bad') return { kind: 'skipped', reason: 'bad_address' };
  const said = readTraits(json);
  const numbers = readValues(json);
  const reported = { ...numbers, unknown: [...numbers.unknown, ...said.unknown] };
  const { eligible, path, report } = said;
  if (address !== 'none') {
    const joined = path === undefined ? address : withPath(address, path);
    const more = { traits: said.traits, eligible, ...(report === undefined ? {} : { report }) };
    return oneEndpoint(joined, reported, more);
  }
  if (level === 'endpoint') return { kind: 'skipped', reason: 'no_address' };
  return { kind: 'defaults', values: reported, traits: said.traits, eligible, path };
};

/** What an endpoint reports beside its values. */
export interface SaidTraits extends Omit<Traits, 'draining'> {
  readonly status?: Status | undefined;
  readonly path?: string | undefined;
  /** The znode with its load, which others may share. */
  readonly report?: string | undefined;
}

/** Encodes an endpoint as weir writes it; unknown values are left out. */
export function encodeChannelInfo(
  address: string,
  { load, bitrate, packetLoss }: Omit<Values, 'unknown'>,
  { status, path, report, ...traits }: SaidTraits = {},
): string {
  const reported = { service_address: address, load, bitrate, packet_loss_rate: packetLoss };
  return JSON.stringify({ ...reported, status, ...traitsByField(traits), path, report });
}
