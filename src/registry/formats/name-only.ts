// A child named `10.0.0.1:8080` without data, as in registries of the shape /servers/ip:port.

import { parseServiceAddress } from '../../net-address.js';
import { type Format, oneEndpoint } from './format.js';
import { noValues } from './values.js';

/** Accepts only endpoints: a channel named like an address is a channel. */
export const nameOnly: Format = ({ name, level, text }) => {
  if (level !== 'endpoint' || text !== '') return undefined;
  const address = parseServiceAddress(name);
  return address === undefined ? undefined : oneEndpoint(address, noValues);
};
