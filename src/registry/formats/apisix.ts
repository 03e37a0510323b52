// The nodes of an APISIX upstream, as apisix-seed reads them from the data of a channel's own node:
// [{"host":"127.0.0.1","port":1980,"weight":100}], also with the port in the host.

import { parseServiceAddress } from '../../net-address.js';
import { hostAndPort } from './address.js';
import type { Format, JsonObject, RegisteredEndpoint } from './format.js';
import { registrationOf } from './reported.js';
import { Unknowns } from './traits.js';
import { asObject, own } from './values.js';

/** Of one node. */
export const maxNodes = 256;

function addressOf(json: JsonObject): RegisteredEndpoint['address'] | undefined {
  const [host, port] = [own(json, 'host'), own(json, 'port')];
  if (port !== undefined || typeof host !== 'string') return hostAndPort(host, port);
  // Only an authority is allowed, not a URL.
  return host.includes('/') ? undefined : parseServiceAddress(host);
}

const priorityOf = (json: JsonObject): number => {
  const priority = own(json, 'priority');
  return typeof priority === 'number' && Number.isInteger(priority) ? priority : 0;
};

/** APISIX prefers the highest priority, weir the lowest: the highest one becomes 0. */
export const apisix: Format = ({ list, level }) => {
  if (list === undefined || level !== 'channel') return undefined;
  const nodes = list.map((each) => asObject(each)).filter((each) => each !== undefined && Object.hasOwn(each, 'host'));
  if (nodes.length === 0) return list.length === 0 ? { kind: 'nothing' } : undefined;
  const unknown = new Unknowns();
  if (list.length > maxNodes) unknown.add('endpoints', 'too_many');
  const looked = nodes.slice(0, maxNodes) as JsonObject[];
  const highest = looked.reduce((most, json) => Math.max(most, priorityOf(json)), Number.NEGATIVE_INFINITY);
  const registrations: RegisteredEndpoint[] = [];
  for (const json of looked) {
    const address = addressOf(json);
    if (address === undefined) unknown.add('endpoints', 'malformed');
    else {
      const priority = highest - priorityOf(json);
      const said = { ...json, priority: priority === 0 ? undefined : priority, properties: own(json, 'metadata') };
      registrations.push(registrationOf(address, said));
    }
  }
  const [first, ...others] = registrations;
  if (first === undefined) return { kind: 'skipped', reason: 'bad_address' };
  const values = { ...first.values, unknown: [...first.values.unknown, ...unknown.all] };
  return { kind: 'endpoints', registrations: [{ ...first, values }, ...others] };
};
