// The address of an instance of Curator's service discovery, which Spring Cloud writes too:
// {"name":"live","id":"ab12","address":"10.0.0.1","port":8080,"sslPort":null,"payload":{…},"uriSpec":{"parts":[…]}}

import { isIP } from 'node:net';
import type { ServiceAddress } from '../../model.js';
import { parseServiceAddress } from '../../net-address.js';
import { hostAndPort } from './address.js';
import type { JsonObject } from './format.js';
import { asObject, own } from './values.js';

/** Of a URI; usually there are five. */
const maxParts = 64;

/** Whether this JSON is an instance of Curator's service discovery. */
export function isInstance(json: JsonObject): boolean {
  return Object.hasOwn(json, 'address') && ['port', 'sslPort', 'uriSpec'].some((field) => Object.hasOwn(json, field));
}

const number = (value: unknown) => (typeof value === 'number' || typeof value === 'string' ? String(value) : undefined);

/** The parts filled in with the instance's own values; undefined: there are none. */
function fromParts(json: JsonObject): string | undefined {
  const parts = asObject(own(json, 'uriSpec'))?.['parts'];
  if (!Array.isArray(parts) || parts.length === 0 || parts.length > maxParts) return undefined;
  const sslPort = number(own(json, 'sslPort'));
  const port = number(own(json, 'port'));
  const host = own(json, 'address');
  const variables = new Map<unknown, unknown>([
    ['scheme', sslPort === undefined ? 'http' : 'https'],
    ['address', typeof host === 'string' && isIP(host) === 6 ? `[${host}]` : host],
    ['port', sslPort ?? port],
    ['ssl-port', sslPort],
    ['name', own(json, 'name')],
    ['id', own(json, 'id')],
  ]);
  let uri = '';
  for (const each of parts) {
    const part = asObject(each);
    const value = part === undefined ? undefined : own(part, 'value');
    const text = part !== undefined && own(part, 'variable') === true ? variables.get(value) : value;
    if (typeof text !== 'string') return undefined;
    uri += text;
  }
  return uri;
}

/**
 * The address by its URI, else by its port; by its TLS port where it has one.
 *
 * @returns undefined where the instance has no valid address
 */
export function instanceAddress(json: JsonObject): ServiceAddress | undefined {
  const uri = fromParts(json);
  const address = uri === undefined ? undefined : parseServiceAddress(uri);
  if (address !== undefined) return address;
  const sslPort = own(json, 'sslPort');
  return hostAndPort(own(json, 'address'), sslPort ?? own(json, 'port'), sslPort !== undefined);
}
