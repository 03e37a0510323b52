// An instance of Spring Cloud Zookeeper: Curator's, with a map of texts in its payload:
// {"name":"live","address":"10.0.0.1","port":8080,"payload":{"metadata":{"instance_status":"UP","zone":"a"}}, …}

import type { Format } from './format.js';
import { freeProperties, reportedEndpoint, withNumbers } from './reported.js';
import { instanceAddress, isInstance } from './service-instance.js';
import { instanceStatus, isUp } from './status-words.js';
import { asObject, own } from './values.js';

/** Any status but UP means that it serves nobody now. No status is UP, as in Spring Cloud. */
export const springCloud: Format = ({ json }) => {
  if (json === undefined || !isInstance(json)) return undefined;
  const payload = asObject(own(json, 'payload'));
  const metadata = payload === undefined ? undefined : asObject(own(payload, 'metadata'));
  if (metadata === undefined) return undefined;
  const address = instanceAddress(json);
  if (address === undefined) return { kind: 'skipped', reason: 'bad_address' };
  const eligible = isUp(metadata) && own(json, 'enabled') !== false;
  const properties = freeProperties(metadata, [instanceStatus]);
  return reportedEndpoint(address, withNumbers(metadata), { eligible, properties });
};
