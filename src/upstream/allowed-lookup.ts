// Name resolution that yields only allowed addresses. It is judged for every connection: a name that pointed to an allowed
// address when it was registered cannot be rebound to another one later.

import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { WeirError } from '../errors.js';
import type { Destinations } from './destinations.js';

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/** A `lookup` for sockets to this port; fails with address_refused when no address of the name is allowed. */
export function allowedLookup(destinations: Destinations, port: number) {
  return (host: string, options: LookupOptions, callback: LookupCallback) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const allowed = addresses.filter(({ address }) => destinations.allows(address, port));
      const first = allowed[0];
      if (first === undefined) return callback(new WeirError('address_refused'), []);
      if (options.all === true) return callback(null, allowed);
      return callback(null, first.address, first.family);
    });
  };
}
