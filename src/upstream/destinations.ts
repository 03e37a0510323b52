// Where connections may go: into the networks of `upstream.allow`, but never to weir's own listeners. Addresses of cloud
// services, such as metadata, have to be allowed by themselves. Asked with the resolved address, for every connection.

import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Networks, parseCidr } from '../net-address.js';

/** An address on which weir listens, as the system tells it: `::` and `0.0.0.0` stand for all of the machine. */
export interface OwnListener {
  readonly address: string;
  readonly port: number;
}

/** Why a destination is refused. */
export type Refusal = 'outside' | 'special' | 'own';

/**
 * Link-local addresses, and those at which clouds give credentials to whoever asks from the machine. A network that is
 * allowed as a whole does not mean them.
 */
const special = [
  '169.254.0.0/16',
  'fe80::/10',
  // Alibaba Cloud.
  '100.100.100.200/32',
  // AWS: metadata, credentials, name server and clock.
  'fd00:ec2::/32',
  // Google Cloud.
  'fd20:ce::254/128',
  // Azure.
  '168.63.129.16/32',
  // Oracle Cloud.
  '192.0.0.192/32',
];

/** ms after which the addresses of the machine are read again. */
const interfacesAgeMs = 5_000;
/** Listening on one of them is listening on all; connecting to one reaches the machine itself. */
const unspecified = new Networks(['0.0.0.0/32', '::/128']);
const loopback = ['127.0.0.1', '::1'];

export interface LocalMachine {
  /** All addresses of its interfaces. */
  readonly addresses: () => readonly string[];
  /** Monotonic ms. */
  readonly now: () => number;
}

const thisMachine: LocalMachine = {
  addresses: () => Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []),
  now: () => performance.now(),
};

/** The networks of `upstream.allow`, and the own listeners. Read for every connection. */
export class Destinations {
  readonly #allowed: Networks;
  readonly #special = new Networks(special);
  readonly #exceptions: Networks;
  readonly #machine: LocalMachine;
  /** By port. */
  #own = new Map<number, { readonly everywhere: boolean; readonly only: BlockList }>();
  #local = new BlockList();
  #localAt = Number.NEGATIVE_INFINITY;

  /** @param allow `upstream.allow`; an entry within a special network allows that part of it */
  constructor(allow: readonly string[], machine: LocalMachine = thisMachine) {
    this.#allowed = new Networks(allow);
    this.#exceptions = new Networks(allow.filter(isSpecial));
    this.#machine = machine;
  }

  /** All listeners of weir: none of them may be connected to as an endpoint. */
  setOwn(listeners: readonly OwnListener[]): void {
    this.#own = new Map();
    for (const { address, port } of listeners) {
      const known = this.#own.get(port) ?? { everywhere: false, only: new BlockList() };
      const everywhere = unspecified.has(address);
      if (!everywhere) add(known.only, address);
      this.#own.set(port, { ...known, everywhere: known.everywhere || everywhere });
    }
  }

  allows(address: string, port: number): boolean {
    return this.refusal(address, port) === undefined;
  }

  /** Why not; undefined where a connection may be made. An IPv4 address written as IPv6 is judged as what it is. */
  refusal(address: string, port: number): Refusal | undefined {
    const reached = unspecified.has(address) ? loopback : [address];
    if (reached.some((one) => this.#isOwn(one, port))) return 'own';
    if (this.#special.has(address) && !this.#exceptions.has(address)) return 'special';
    return reached.every((one) => this.#allowed.has(one)) ? undefined : 'outside';
  }

  #isOwn(address: string, port: number): boolean {
    const own = this.#own.get(port);
    if (own === undefined) return false;
    return has(own.only, address) || (own.everywhere && has(this.#localAddresses(), address));
  }

  #localAddresses(): BlockList {
    const now = this.#machine.now();
    if (now - this.#localAt < interfacesAgeMs) return this.#local;
    this.#localAt = now;
    this.#local = new BlockList();
    this.#local.addSubnet('127.0.0.0', 8, 'ipv4');
    add(this.#local, '::1');
    for (const address of this.#machine.addresses()) add(this.#local, address);
    return this.#local;
  }
}

/** Whether the whole network is within a special one. */
function isSpecial(text: string): boolean {
  const network = parseCidr(text);
  return special.some((entry) => {
    const around = parseCidr(entry);
    if (network === undefined || around === undefined || network.family !== around.family) return false;
    return network.prefix >= around.prefix && new Networks([entry]).has(network.address);
  });
}

function add(list: BlockList, address: string): void {
  const family = isIP(address);
  if (family !== 0) list.addAddress(address, family === 4 ? 'ipv4' : 'ipv6');
}

function has(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
