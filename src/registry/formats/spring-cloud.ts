// An instance of Spring Cloud Zookeeper: Curator's, with a map of texts in its payload:
// {"name":"live","address":"10.0.0.1","port":8080,"payload":{"metadata":{"instance_status":"UP","zone":"a"}}, …}

import type { Format } from './format.js';
import { freeProperties, reportedEndpoint, withNumbers } from './reported.js';
import { instanceAddress, isInstance } from './service-instance.js';
import { asObject, own } from './values.js';

const statusField = 'instance_status';

/** Any status but UP means that it serves nobody now. No status is UP, as in Spring Cloud. */
export const springCloud: Format = ({ json }) => {
  if (json === undefined || !isInstance(json)) return undefined;
  const payload = asObject(own(json, 'payload'));
  const metadata = payload === undefined ? undefined : asObject(own(payload, 'metadata'));
  if (metadata === undefined) return undefined;
  const address = instanceAddress(json);
  if (address === undefined) return { kind: 'skipped', reason: 'bad_address' };
  const status = own(metadata, statusField);
  const isUp = status === undefined || (typeof status === 'string' && status.toUpperCase() === 'UP');
  const eligible = isUp && own(json, 'enabled') !== false;
  const properties = freeProperties(metadata, [statusField]);
  return reportedEndpoint(address, withNumbers(metadata), { eligible, properties });
};
