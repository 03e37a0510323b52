// The session of an edge that is in no fleet.

import { FleetError, type FleetSession } from './session.js';

const refuse = (path: string): Promise<never> => Promise.reject(new FleetError('disabled', path));

/** It is never connected, and refuses every call with `disabled`. */
export const noFleet: FleetSession = {
  get: refuse,
  children: refuse,
  create: refuse,
  set: refuse,
  remove: refuse,
  watch: () => () => {},
  subscribe: () => () => {},
  isAlive: () => false,
  timeoutMs: 0,
};
