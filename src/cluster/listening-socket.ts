// The socket that players connect to. The supervisor binds it and keeps it open without ever accepting from it; workers
// get copies to listen and accept on. So no connection that waits is lost when a worker ends, and the port stays open when
// no worker is alive.
//
// Why not what node:cluster offers:
//   - Round robin: the supervisor accepts each connection and sends it to a worker. That costs messages for each
//     connection, and a player hangs when its worker dies meanwhile.
//   - The shared handle is closed with the last worker that accepts, so no worker can stop accepting for a while.
//   - SO_REUSEPORT loses the connections that wait in the socket of a worker that ends.

import { lookup } from 'node:dns/promises';
import net, { type AddressInfo, isIP } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import type { SharedSocket } from '../data-plane/contract.js';
import { parseListenAddress } from '../net-address.js';

export interface ListeningSocket {
  readonly address: AddressInfo;
  /** To be sent to a worker, any number of times. */
  readonly handle: SharedSocket;
  close(): void;
}

interface TcpHandle {
  getsockname(name: Partial<AddressInfo>): number;
  close(): void;
}

/** What node:cluster makes its shared handles with: node:net has no public way to bind without accepting. */
interface NetInternals {
  _createServerHandle(host: string | null, port: number, family: 4 | 6): TcpHandle | number;
}

/** Rejects with the system's error code when the address cannot be bound. */
export async function openListeningSocket(address: string): Promise<ListeningSocket> {
  const parsed = parseListenAddress(address);
  if (parsed === undefined) throw new TypeError(`not an address to listen on: ${address}`);
  const host = parsed.host === undefined ? undefined : (await lookup(parsed.host)).address;
  const { _createServerHandle: createHandle } = net as unknown as NetInternals;
  const handle = createHandle(host ?? null, parsed.port, host !== undefined && isIP(host) === 6 ? 6 : 4);
  if (typeof handle === 'number') throw listenError(handle, address);
  const name: Partial<AddressInfo> = {};
  // An address that is in use shows here, not when it is bound.
  const failed = handle.getsockname(name);
  if (failed !== 0) {
    handle.close();
    throw listenError(failed, address);
  }
  return {
    address: name as AddressInfo,
    handle: handle as unknown as SharedSocket,
    close: () => handle.close(),
  };
}

function listenError(errno: number, address: string): Error {
  const [code, words] = getSystemErrorMap().get(errno) ?? [String(errno), 'unknown error'];
  return Object.assign(new Error(`listen ${code}: ${words} ${address}`), { code });
}
