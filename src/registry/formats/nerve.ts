// Reports of Nerve: {"host":"h","port":1234,"name":"i-1","weight":10,"labels":{"az":"a"}} in a child such as i-1_0000000001,
// or all of it in the child's name: base64_<length>_<base64url of the JSON>_0000000001.

import { hostAndPort } from './address.js';
import type { Format, JsonObject } from './format.js';
import { reportedEndpoint } from './reported.js';
import { asObject, own } from './values.js';

/** The JSON in a name; undefined: there is none. */
function fromName(name: string): JsonObject | undefined {
  const head = /^base64_(\d{1,5})_/.exec(name);
  if (head === null) return undefined;
  const [prefix, length] = head;
  const encoded = name.slice(prefix.length, prefix.length + Number(length));
  try {
    return asObject(JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8')));
  } catch {
    return undefined;
  }
}

/** HAProxy's word for a server that is used when no other is left. */
const isBackup = (options: unknown) => typeof options === 'string' && options.split(/\s+/, 100).includes('backup');

/** The label `az` or `zone` is the zone, labels are properties, and a backup has the priority after the others. */
export const nerve: Format = ({ json: data, name, text }) => {
  const json = data ?? (text === '' ? fromName(name) : undefined);
  if (json === undefined || !Object.hasOwn(json, 'host') || !Object.hasOwn(json, 'port')) return undefined;
  const address = hostAndPort(own(json, 'host'), own(json, 'port'));
  if (address === undefined) return { kind: 'skipped', reason: 'bad_address' };
  const labels = asObject(own(json, 'labels'));
  const zone = own(json, 'zone') ?? own(labels ?? {}, 'az') ?? own(labels ?? {}, 'zone');
  const backup = isBackup(own(json, 'haproxy_server_options')) ? 1 : undefined;
  const said = { ...json, zone, priority: own(json, 'priority') ?? backup };
  return reportedEndpoint(address, said, { properties: labels });
};
