// What the native client connects to: the servers' addresses, or with TLS the local ends of tunnels to them.

import type { ConnectString } from '../net-address.js';
import { addressesOf, resolveServers, whyUnreachable } from './servers.js';
import type { TlsSettings } from './tls/connection.js';
import { Tunnel } from './tls/tunnel.js';

const resolveDeadlineMs = 3_000;
/** For each server that is asked. */
const whyDeadlineMs = 2_000;

export interface Reach {
  /** Connect string for the client; undefined: no server has an address. */
  readonly connect: string | undefined;
  /** Problems of single servers so far, as text; empty: none. */
  problems(): string;
  /** Why there is no session, as text. */
  why(): Promise<string>;
  /** Call it after the client was closed: its last bytes still arrive. */
  close(): Promise<void>;
}

/**
 * @param tls undefined: the servers are connected to directly
 * @param onAllFailed called with the reason each time no server could be reached by TLS
 * @throws OperatorError where tunnels are not possible
 */
export async function reachServers(
  target: ConnectString,
  tls: TlsSettings | undefined,
  onAllFailed: (why: string) => void,
): Promise<Reach> {
  if (tls !== undefined) {
    const tunnel = await Tunnel.open(target.servers, tls, { onAllFailed });
    return {
      connect: tunnel.connect + target.chroot,
      problems: () => tunnel.problems,
      why: async () => tunnel.problems || 'no server gives a session',
      close: () => tunnel.close(),
    };
  }
  const { connect, servers, problems } = await resolveServers(target, addressesOf, resolveDeadlineMs);
  return {
    connect,
    problems: () => problems.join(', '),
    why: async () => [...problems, await whyUnreachable(servers, whyDeadlineMs)].filter((why) => why !== '').join(', '),
    close: async () => {},
  };
}
