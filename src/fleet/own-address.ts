// Pure: what an edge is called, and where others reach it, as far as its settings say.

import { parseListenAddress, parseServiceAddress } from '../net-address.js';

/** The name where none is set: that of the machine, with the port of the players' listener. */
export function defaultName(machine: string, port: number): string {
  return `${machine.replaceAll(/[^A-Za-z0-9._-]/g, '-').slice(0, 200)}:${port}`;
}

/**
 * Where a listener is reached from other machines, as a URL: where it listens on all addresses, by the name of the machine.
 *
 * @param listen as it is set
 * @param port that it has
 */
export function reachableUrl(listen: string, port: number, machine: string): string {
  const host = parseListenAddress(listen)?.host;
  const isAny = host === undefined || host === '0.0.0.0' || host === '::';
  const name = isAny ? machine : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** The `HOST:PORT` of a URL by which an edge says where others come in; undefined: it says nothing that can be used. */
export function peerAddress(url: string | undefined): string | undefined {
  const [, address = ''] = /^http:\/\/([^/?#@]+)\/?$/.exec(url ?? '') ?? [];
  return parseServiceAddress(address);
}
