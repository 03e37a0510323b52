// An address as plain text: `10.0.0.1:8080`, `http://10.0.0.1:8080/x`, `[2001:db8::1]:8080`. Trees of single
// methods have it too: there the channel's node itself is ephemeral.

import { parseServiceAddress } from '../../net-address.js';
import { type Format, oneEndpoint } from './format.js';
import { noValues } from './values.js';

/** The address alone, as the text of the node. */
export const plain: Format = ({ text }) => {
  const address = parseServiceAddress(text);
  return address === undefined ? undefined : oneEndpoint(address, noValues);
};
