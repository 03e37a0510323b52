// {"ip":"10.0.0.1","port":"8080","id":"a"}: host and port apart, the port as a string or a number.

import { hostAndPort } from './address.js';
import type { Format } from './format.js';
import { reportedEndpoint } from './reported.js';
import { own } from './values.js';

/** `ip` may also be a host name; `"tls":true` means https; all other fields are those of ChannelInfo. */
export const metadata: Format = ({ json }) => {
  if (json === undefined || !Object.hasOwn(json, 'ip') || !Object.hasOwn(json, 'port')) return undefined;
  const address = hostAndPort(own(json, 'ip'), own(json, 'port'), own(json, 'tls') === true);
  return address === undefined ? { kind: 'skipped', reason: 'bad_address' } : reportedEndpoint(address, json);
};
