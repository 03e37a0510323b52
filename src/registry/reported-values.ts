// Pure: whether two reports of an endpoint say the same.

import type { Endpoint } from '../model.js';

const fields = [
  'address',
  'load',
  'bitrate',
  'packetLoss',
  'draining',
  'weight',
  'zone',
  'priority',
  'release',
] as const;

/** Whether both report the same address, values and traits. */
export function sameValues(a: Endpoint, b: Endpoint): boolean {
  if (fields.some((field) => a[field] !== b[field])) return false;
  const [one, other] = [a.properties ?? {}, b.properties ?? {}];
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
