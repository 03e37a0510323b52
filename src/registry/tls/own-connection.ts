// Tells whether a connection on loopback comes from this process: nobody else on the machine may use what listens there for it.

import { readdir, readFile, readlink } from 'node:fs/promises';
import type { Socket } from 'node:net';

/** Linux only: elsewhere nothing says whose a connection is. */
export const canTell = process.platform === 'linux';

/**
 * Pure: the inode of the client's end of a connection on loopback, out of /proc/net/tcp.
 *
 * @param clientPort where the client's end is bound
 * @param listenerPort where it connects to
 */
export function inodeOf(table: string, clientPort: number, listenerPort: number): string | undefined {
  const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0');
  // Addresses stand there as the machine stores them: 127.0.0.1 where the lowest byte comes first.
  const ends = [`:${hex(clientPort)}`, `:${hex(listenerPort)}`];
  for (const line of table.split('\n')) {
    const [, local = '', remote = '', , , , , , , inode] = line.trim().split(/\s+/);
    const isLoopback = local.slice(0, -5) === remote.slice(0, -5) && local.startsWith('0100007F');
    if (isLoopback && local.endsWith(ends[0] ?? '') && remote.endsWith(ends[1] ?? '')) return inode;
  }
  return undefined;
}

/** @param accepted the listener's end of the connection */
export async function isOwnConnection({ remotePort, localPort }: Socket): Promise<boolean> {
  if (remotePort === undefined || localPort === undefined) return false;
  const inode = inodeOf(await readFile('/proc/self/net/tcp', 'latin1'), remotePort, localPort);
  if (inode === undefined || inode === '0') return false;
  const wanted = `socket:[${inode}]`;
  for (const descriptor of await readdir('/proc/self/fd')) {
    // It may be closed meanwhile, as the one that lists the folder is.
    const target = await readlink(`/proc/self/fd/${descriptor}`).catch(() => '');
    if (target === wanted) return true;
  }
  return false;
}
