// Pure parsing of addresses: what is listened on, which networks are allowed, what an endpoint registered,
// where ZooKeeper is.

import { BlockList, isIP, isIPv6 } from 'node:net';
import type { ServerOrigin, ServiceAddress } from './model.js';

export interface ListenAddress {
  /** undefined: all interfaces. */
  readonly host: string | undefined;
  readonly port: number;
}

export interface Cidr {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** `HOST:PORT`, `:PORT`, `[IPv6]:PORT`; undefined when it is none of them. Port 0 asks the system for a free one. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(text);
  if (!match) return undefined;
  const port = Number(match[3]);
  if (port > 65535) return undefined;
  if (match[1] !== undefined && isIP(match[1]) !== 6) return undefined;
  const host = match[1] ?? match[2];
  return { host: host === '' || host === undefined ? undefined : host, port };
}

/** Whether both cannot be listened on at once, as far as can be told without asking the system. */
export function isSameListener(one: string, other: string): boolean {
  const [a, b] = [parseListenAddress(one), parseListenAddress(other)];
  if (a === undefined || b === undefined || a.port === 0 || a.port !== b.port) return false;
  const isAny = (host: string | undefined) => host === undefined || host === '0.0.0.0' || host === '::';
  return isAny(a.host) || isAny(b.host) || a.host?.toLowerCase() === b.host?.toLowerCase();
}

/** `ADDRESS/PREFIX`, or a single address; undefined when it is neither. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', prefixText, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return undefined;
  const bits = family === 4 ? 32 : 128;
  if (prefixText !== undefined && !/^\d{1,3}$/.test(prefixText)) return undefined;
  const prefix = prefixText === undefined ? bits : Number(prefixText);
  if (prefix > bits) return undefined;
  return { address, prefix, family: family === 4 ? 'ipv4' : 'ipv6' };
}

const hostName =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i;
const maxAddressChars = 2048;

/**
 * Validates what an endpoint registered as its address: `host:port`, or an http(s) URL whose path may be a template.
 * Returns undefined for anything else: other schemes, credentials, fragments, port 0, control characters, numbers
 * that browsers and resolvers read as IPv4 in disguise (`0x7f.1`, `2130706433`).
 */
export function parseServiceAddress(text: string): ServiceAddress | undefined {
  if (text.length === 0 || text.length > maxAddressChars || /[^\x21-\x7e]|[\\"<>^`|#@]/.test(text)) return undefined;
  const match = /^(?:(https?):\/\/)?(\[[0-9a-fA-F:.]+\]|[^:/?[\]]+)(?::(\d{1,5}))?([/?].*)?$/.exec(text);
  if (!match) return undefined;
  const [, scheme, host = '', port, rest] = match;
  if (scheme === undefined && (port === undefined || rest !== undefined)) return undefined;
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535)) return undefined;
  if (rest?.startsWith('?')) return undefined;
  if (host.startsWith('[')) {
    if (isIP(host.slice(1, -1)) !== 6) return undefined;
  } else if (isIP(host) !== 4) {
    const lastLabel = host.replace(/\.$/, '').split('.').at(-1) ?? '';
    if (!hostName.test(host) || /^(\d+|0x[0-9a-f]*)$/i.test(lastLabel)) return undefined;
  }
  return text as ServiceAddress;
}

/**
 * The address with a path behind it where it has none of its own, or only a slash. `path` has a slash first, and was
 * validated behind another address; one that makes this too long is left out.
 */
export function withPath(address: ServiceAddress, path: string): ServiceAddress {
  const match = /^(https?:\/\/)?([^/?]+)\/?$/.exec(address);
  if (match === null) return address;
  return parseServiceAddress(`${match[1] ?? 'http://'}${match[2]}${path}`) ?? address;
}

/** The server behind an address: `http://host:port`. All channels of one server share its state and its connections. */
export function serverOf(address: ServiceAddress): ServerOrigin {
  const match = /^(https?:\/\/)?(\[[^\]]+\]|[^:/]+)(?::(\d+))?/.exec(address);
  const scheme = match?.[1] ?? 'http://';
  const port = match?.[3] ?? (scheme === 'https://' ? '443' : '80');
  return `${scheme}${(match?.[2] ?? '').toLowerCase()}:${Number(port)}` as ServerOrigin;
}

/** The host of a server: an IP address without brackets, or a name. */
export function hostOf(server: ServerOrigin): string {
  return server.slice(server.indexOf('//') + 2, server.lastIndexOf(':')).replace(/^\[|\]$/g, '');
}

/** The port of a server; 80 or 443 where the address names none. */
export function portOf(server: ServerOrigin): number {
  return Number(server.slice(server.lastIndexOf(':') + 1));
}

/** Another worker of this edge as a server. No registered address can look like it: `~` stands in no host name. */
export function peerServer(name: string): ServerOrigin {
  return `http://~${name}:1` as ServerOrigin;
}

/** Another edge as a server: characters that no host name has, capitals among them, are written as `_` with their code. */
export function edgeServer(name: string): ServerOrigin {
  const host = name.replace(/[^a-z0-9.-]/g, (char) => `_${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return peerServer(`edge.${host}`);
}

/** Whether a server is a peer: another worker of this edge, or another edge. */
export function isPeer(server: ServerOrigin): boolean {
  return server.startsWith('http://~');
}

/** The name of a peer. */
export function peerName(server: ServerOrigin): string {
  return server
    .replace(/^http:\/\/~/, '')
    .replace(/:1$/, '')
    .replace(/_([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** An address of a socket; IPv4 as such, also where a socket for both families calls it `::ffff:a.b.c.d`. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** A list of networks. An IPv4 address written as IPv6 (`::ffff:a.b.c.d`) is judged as the IPv4 address it is. */
export class Networks {
  readonly #list = new BlockList();

  constructor(cidrs: readonly string[]) {
    for (const text of cidrs) {
      const cidr = parseCidr(text);
      if (cidr === undefined) throw new TypeError(`not a network: ${text}`);
      this.#list.addSubnet(cidr.address, cidr.prefix, cidr.family);
    }
  }

  has(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 4 ? 'ipv4' : 'ipv6');
  }
}

/** A server of a ZooKeeper ensemble. */
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

/** `HOST:PORT[,HOST:PORT…][/chroot]`; undefined when it is malformed. The port may be left out: 2181. */
export function parseConnectString(text: string): ConnectString | undefined {
  const slash = text.indexOf('/');
  const list = slash < 0 ? text : text.slice(0, slash);
  const chroot = (slash < 0 ? '' : text.slice(slash)).replace(/\/$/, '');
  if (chroot !== '' && !/^(\/[^/\s]+)+$/.test(chroot)) return undefined;
  const servers: Server[] = [];
  for (const part of list.split(',')) {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(part);
    if (match === null || (match[1] !== undefined && isIP(match[1]) !== 6)) return undefined;
    const port = match[3] === undefined ? 2181 : Number(match[3]);
    if (port < 1 || port > 65535) return undefined;
    servers.push({ host: match[1] ?? match[2] ?? '', port });
  }
  return { servers, chroot };
}

/** The address, of IPv6 its network of 64 bits, since that is what one subscriber has (RFC 6177). */
export function clientNetwork(address: string): string {
  // Asked for each request: most addresses are IPv4, and the check is a regular expression.
  return address.includes(':') && isIPv6(address) ? network(address) : address;
}

function network(address: string): string {
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  // Without `::` all groups are there; with it, zeros stand for what lies between.
  while (groups.length < 4 && tail !== undefined) groups.push('0');
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
