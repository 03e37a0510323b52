// {"ip":"10.0.0.1","port":"8080","id":"a"}: host and port apart, the port as a string or a number.

import { isIP } from 'node:net';
import { parseServiceAddress } from '../../net-address.js';
import { type Format, oneEndpoint } from './format.js';
import { readValues } from './values.js';

/** `ip` may also be a host name; values are read as in ChannelInfo. */
export const metadata: Format = ({ json }) => {
  if (json === undefined || !Object.hasOwn(json, 'ip') || !Object.hasOwn(json, 'port')) return undefined;
  const { ip, port } = json;
  const digits = typeof port === 'number' ? String(port) : port;
  const wellFormed = typeof ip === 'string' && typeof digits === 'string' && /^\d{1,5}$/.test(digits);
  // A host that brings a scheme, a port or a path of its own is not a host.
  if (!wellFormed || (isIP(ip) !== 6 && /[:/?[\]]/.test(ip))) return { kind: 'skipped', reason: 'bad_address' };
  const address = parseServiceAddress(isIP(ip) === 6 ? `[${ip}]:${digits}` : `${ip}:${digits}`);
  if (address === undefined) return { kind: 'skipped', reason: 'bad_address' };
  return oneEndpoint(address, readValues(json));
};
