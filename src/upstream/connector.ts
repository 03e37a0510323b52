// Makes connections to one server, at allowed addresses only, and remembers which errors come from a connection that had been
// used before.

import { isIP } from 'node:net';
import { buildConnector } from 'undici';
import { WeirError } from '../errors.js';
import type { ServerOrigin } from '../model.js';
import { hostOf, portOf } from '../net-address.js';
import { allowedLookup } from './allowed-lookup.js';
import type { Destinations } from './destinations.js';

/** Errors of sockets over which something was received before. */
const ofUsedConnections = new WeakSet<Error>();

/**
 * Connects to a server at allowed addresses only, within `timeoutMs`. An address that is refused is an error of the
 * callback.
 */
export function toEndpoint(
  server: ServerOrigin,
  destinations: Destinations,
  timeoutMs: number,
): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs, lookup: allowedLookup(destinations, portOf(server)) });
  return (options, callback) => {
    if (isRefused(server, destinations)) {
      queueMicrotask(() => callback(new WeirError('address_refused'), null));
    } else connect(options, marking(callback));
  };
}

/** Whether the server is an address that may not be connected to. A name is judged by what it resolves to. */
export function isRefused(server: ServerOrigin, destinations: Destinations): boolean {
  const host = hostOf(server);
  return isIP(host) !== 0 && !destinations.allows(host, portOf(server));
}

/** Connects to a Unix socket within `timeoutMs`. */
export function toSocketPath(socketPath: string, timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs, socketPath });
  return (options, callback) => connect(options, marking(callback));
}

function marking(callback: buildConnector.Callback): buildConnector.Callback {
  return (...[error, socket]) => {
    if (error !== null) return callback(error, null);
    // undici hands this error on as it is; its own, for an end without an error, tells of the socket.
    socket.on('error', (failure: Error) => {
      if (socket.bytesRead > 0) ofUsedConnections.add(failure);
    });
    callback(null, socket);
  };
}

/** Whether the connection that failed with this error had brought something before. */
export function wasUsed(error: Error): boolean {
  const { socket } = error as { socket?: { bytesRead?: number } };
  return ofUsedConnections.has(error) || (socket?.bytesRead ?? 0) > 0;
}
