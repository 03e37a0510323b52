// An instance of Curator's service discovery. Its payload belongs to the application, and may have load, bitrate,
// packet loss and all other fields of ChannelInfo.

import type { Format } from './format.js';
import { reportedEndpoint } from './reported.js';
import { instanceAddress, isInstance } from './service-instance.js';
import { asObject, own } from './values.js';

/** `"enabled":false`, of newer versions, means that it serves nobody now. */
export const curator: Format = ({ json }) => {
  if (json === undefined || !isInstance(json)) return undefined;
  const address = instanceAddress(json);
  if (address === undefined) return { kind: 'skipped', reason: 'bad_address' };
  return reportedEndpoint(address, asObject(own(json, 'payload')) ?? {}, { eligible: own(json, 'enabled') !== false });
};
