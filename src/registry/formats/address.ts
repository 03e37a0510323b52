// Addresses of registrations with separate host and port.

import { isIP } from 'node:net';
import type { ServiceAddress } from '../../model.js';
import { parseServiceAddress } from '../../net-address.js';

/** @param port a number, or its digits; @param tls the address becomes one of https */
export function hostAndPort(host: unknown, port: unknown, tls = false): ServiceAddress | undefined {
  const digits = typeof port === 'number' ? String(port) : port;
  if (typeof host !== 'string' || typeof digits !== 'string' || !/^\d{1,5}$/.test(digits)) return undefined;
  const isIPv6 = isIP(host) === 6;
  // A host with a scheme, a port or a path is not a host.
  if (!isIPv6 && /[:/?[\]]/.test(host)) return undefined;
  const authority = isIPv6 ? `[${host}]:${digits}` : `${host}:${digits}`;
  return parseServiceAddress(tls ? `https://${authority}` : authority);
}
