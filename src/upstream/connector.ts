// Makes connections to one server, to allowed addresses only, and knows which errors are those of a connection that had been
// used before.

import { isIP } from 'node:net';
import { buildConnector } from 'undici';
import { WeirError } from '../errors.js';
import type { Networks } from '../net-address.js';
import { allowedLookup } from './allowed-lookup.js';

/** Errors of sockets over which something was received before. */
const ofUsedConnections = new WeakSet<Error>();

/** @param timeout ms */
export function toEndpoint(allow: Networks, timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout, lookup: allowedLookup(allow) });
  return (options, callback) => {
    // An address is not looked up.
    if (isIP(options.hostname) !== 0 && !allow.has(options.hostname)) {
      queueMicrotask(() => callback(new WeirError('address_refused'), null));
    } else connect(options, marking(callback));
  };
}

/** @param timeout ms */
export function toSocketPath(socketPath: string, timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout, socketPath });
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
