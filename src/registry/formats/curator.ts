// An instance of Curator's service discovery. Its payload belongs to the application, and may have load, bitrate,
// packet loss and all other fields of ChannelInfo.

import type { Format } from './format.js';
import { reportedEndpoint } from './reported.js';
import { instanceAddress, isInstance } from './service-instance.js';
import { isUp } from './status-words.js';
import { asObject, own } from './values.js';

/** `"enabled":false`, of newer versions, means that it serves nobody now, as any `instance_status` but UP does. */
export const curator: Format = ({ json }) => {
  if (json === undefined || !isInstance(json)) return undefined;
  const address = instanceAddress(json);
  if (address === undefined) return { kind: 'skipped', reason: 'bad_address' };
  const payload = asObject(own(json, 'payload')) ?? {};
  return reportedEndpoint(address, payload, { eligible: isUp(payload) && own(json, 'enabled') !== false });
};
