// `HOST:PORT[,HOST:PORT…][/chroot]` to what the native client may be given: addresses only.

import { isIP } from 'node:net';

export interface Server {
  /** A name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface ConnectString {
  readonly servers: readonly Server[];
  /** Empty, or a path with a leading and no trailing slash. */
  readonly chroot: string;
}

const defaultPort = 2181;

/** Undefined when it is malformed. The port may be left out: 2181. */
export function parseConnectString(text: string): ConnectString | undefined {
  const slash = text.indexOf('/');
  const list = slash < 0 ? text : text.slice(0, slash);
  const chroot = (slash < 0 ? '' : text.slice(slash)).replace(/\/$/, '');
  if (chroot !== '' && !/^(\/[^/\s]+)+$/.test(chroot)) return undefined;
  const servers: Server[] = [];
  for (const part of list.split(',')) {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(part);
    if (match === null || (match[1] !== undefined && isIP(match[1]) !== 6)) return undefined;
    const port = match[3] === undefined ? defaultPort : Number(match[3]);
    if (port < 1 || port > 65535) return undefined;
    servers.push({ host: match[1] ?? match[2] ?? '', port });
  }
  return { servers, chroot };
}

export type Lookup = (host: string) => Promise<readonly string[]>;

/**
 * Resolves every name, all at once; names without an address by `deadline` milliseconds are left out.
 * Undefined when no server has an address.
 */
export async function resolveServers(
  { servers, chroot }: ConnectString,
  lookup: Lookup,
  deadline: number,
): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly string[]>((resolve) => {
    timer = setTimeout(resolve, deadline, []);
  });
  const addresses = await Promise.all(
    servers.map(async ({ host, port }) => {
      if (isIP(host) !== 0) return [`${host}:${port}`];
      const found = await Promise.race([lookup(host).catch(() => []), late]);
      return found.map((address) => `${address}:${port}`);
    }),
  );
  clearTimeout(timer);
  const list = [...new Set(addresses.flat())];
  return list.length === 0 ? undefined : list.join(',') + chroot;
}
