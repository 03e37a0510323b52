// The words for a status that service registries other than weir use, as weir's own.

import type { JsonObject } from './format.js';
import type { Status } from './traits.js';
import { own } from './values.js';

/** Of Eureka and Spring Cloud (UP to UNKNOWN) and of ServerSets (ALIVE to WARNING, where only ALIVE serves). */
const words: ReadonlyMap<string, Status> = new Map([
  ['UP', 'live'],
  ['DOWN', 'off'],
  ['STARTING', 'off'],
  ['OUT_OF_SERVICE', 'off'],
  ['UNKNOWN', 'off'],
  ['ALIVE', 'live'],
  ['DEAD', 'off'],
  ['STOPPING', 'off'],
  ['STOPPED', 'off'],
  ['WARNING', 'off'],
]);

/** The JSON with its `status` in weir's words, in whatever case it is written; a word that nobody uses stays. */
export function withOwnStatus(json: JsonObject): JsonObject {
  const given = own(json, 'status');
  const status = typeof given === 'string' ? words.get(given.toUpperCase()) : undefined;
  return status === undefined ? json : { ...json, status };
}

/** Spring Cloud's key for the status of an instance. */
export const instanceStatus = 'instance_status';

/** Whether an instance of Spring Cloud serves: it does without a status, and with no other than UP. */
export function isUp(metadata: JsonObject): boolean {
  const status = own(metadata, instanceStatus);
  return status === undefined || (typeof status === 'string' && status.toUpperCase() === 'UP');
}
