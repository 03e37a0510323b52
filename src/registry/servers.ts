// The servers of an ensemble: their addresses, and why none of them can be reached.

import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import type { ConnectString, Server } from '../net-address.js';

export type Lookup = (host: string) => Promise<readonly string[]>;

/** All addresses of a host. Rejects with the resolver's error. */
export const addressesOf: Lookup = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

export interface Resolved {
  /** With IP addresses only, each once. */
  readonly servers: readonly Server[];
  /** Connect string for the native client; undefined when no server has an address. */
  readonly connect: string | undefined;
  /** Which names have no address, and why. */
  readonly problems: readonly string[];
}

/** Resolves all names at once. A name that has no address within `deadlineMs` is left out. */
export async function resolveServers(
  { servers, chroot }: ConnectString,
  lookup: Lookup,
  deadlineMs: number,
): Promise<Resolved> {
  const problems: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${deadlineMs / 1000} s`)), deadlineMs);
  });
  const addressesOf = async (host: string): Promise<readonly string[]> => {
    if (isIP(host) !== 0) return [host];
    try {
      return await Promise.race([lookup(host), late]);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      problems.push(`no address for ${host} (${code ?? message})`);
      return [];
    }
  };
  // Perhaps nobody waits when it rejects.
  late.catch(() => undefined);
  const found = await Promise.all(
    servers.map(async ({ host, port }) => (await addressesOf(host)).map((address) => ({ host: address, port }))),
  );
  clearTimeout(timer);
  const resolved = new Map(found.flat().map((server) => [nameOf(server), server]));
  const list = [...resolved.keys()].join(',');
  return { servers: [...resolved.values()], connect: list === '' ? undefined : list + chroot, problems };
}

const nameOf = ({ host, port }: Server) => `${host}:${port}`;

/** More servers than this are not asked. */
const maxAsked = 5;

/** Milliseconds that a server takes to close a connection that it does not want. */
const closeDeadlineMs = 500;

/** What to do about a server that closes new connections. */
export const tooManyClients =
  'its maxClientCnxns may allow too few from one address: raise it (an edge takes up to registry.zookeeper.maxSessions)';

const closesAtOnce = `closes connections at once: ${tooManyClients}`;

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  // A connection that was closed before we saw that it was made.
  ECONNRESET: closesAtOnce,
  EPIPE: closesAtOnce,
};

/** Why these servers give no session: connects to each of them, which takes at most `deadlineMs`. */
export async function whyUnreachable(servers: readonly Server[], deadlineMs: number): Promise<string> {
  const asked = servers
    .slice(0, maxAsked)
    .map(async (server) => `${nameOf(server)} ${await tryOne(server, deadlineMs)}`);
  return (await Promise.all(asked)).join(', ');
}

function tryOne({ host, port }: Server, deadlineMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (what: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(what);
    };
    let timer = setTimeout(settle, deadlineMs, 'does not answer');
    const closed = () => settle(closesAtOnce);
    socket.once('connect', () => {
      // A server that has enough clients from this address closes, or resets, before it is asked anything.
      clearTimeout(timer);
      timer = setTimeout(settle, Math.min(deadlineMs, closeDeadlineMs), 'accepts connections, but gives no session');
      socket.removeAllListeners('error').on('error', closed).once('close', closed).resume();
    });
    socket.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      settle(code === undefined ? message : `${reasons[code] ?? 'cannot be connected to'} (${code})`);
    });
  });
}
