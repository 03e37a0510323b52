// Where the native client connects to: the servers' addresses, or the near end of a tunnel to each of them.

import type { ConnectString } from '../net-address.js';
import { addressesOf, resolveServers, whyUnreachable } from './servers.js';
import type { TlsSettings } from './tls/connection.js';
import { Tunnel } from './tls/tunnel.js';

const resolveDeadlineMs = 3_000;
/** For each server that is asked. */
const whyDeadlineMs = 2_000;

export interface Reach {
  /** For the client; undefined: no server has an address. */
  readonly connect: string | undefined;
  /** What is wrong with single servers so far, in words; empty: nothing. */
  problems(): string;
  /** Why no session comes about, in words. */
  why(): Promise<string>;
  /** After the client was closed: what it sent still arrives. */
  close(): Promise<void>;
}

/**
 * @param tls undefined: the servers are connected to directly
 * @param onAllFailed no server was reached by TLS, in words; perhaps again and again
 * @throws OperatorError where there can be no tunnel
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
