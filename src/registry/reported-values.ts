// Pure: whether two reports of an endpoint say the same.

import type { Endpoint } from '../model.js';

export function sameValues(a: Endpoint, b: Endpoint): boolean {
  return a.address === b.address && a.load === b.load && a.bitrate === b.bitrate && a.packetLoss === b.packetLoss;
}
