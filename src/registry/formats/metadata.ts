// {"ip":"10.0.0.1","port":"8080","id":"a"}: host and port apart, the port as a string or a number.

import { withPath } from '../../net-address.js';
import { hostAndPort } from './address.js';
import { type Format, oneEndpoint } from './format.js';
import { readTraits } from './traits.js';
import { own, readValues } from './values.js';

/** `ip` may also be a host name; `"tls":true` means https; all else is read as in ChannelInfo. */
export const metadata: Format = ({ json }) => {
  if (json === undefined || !Object.hasOwn(json, 'ip') || !Object.hasOwn(json, 'port')) return undefined;
  const address = hostAndPort(own(json, 'ip'), own(json, 'port'), own(json, 'tls') === true);
  if (address === undefined) return { kind: 'skipped', reason: 'bad_address' };
  const { traits, eligible, path, report, unknown } = readTraits(json);
  const values = readValues(json);
  const more = { traits, eligible, ...(report === undefined ? {} : { report }) };
  const reported = { ...values, unknown: [...values.unknown, ...unknown] };
  return oneEndpoint(path === undefined ? address : withPath(address, path), reported, more);
};
