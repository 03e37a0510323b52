// The endpoints of one channel as its relay sees them: which are registered, which failed, and which failures are not judged
// yet.

import type { Pick, Picks } from '../../balancer/balancer.js';
import type { ChannelName, Endpoint, ServerOrigin, ServiceAddress } from '../../model.js';
import { serverOf } from '../../net-address.js';
import type { ChannelSource } from '../../snapshot/store.js';
import { FailedServers } from './failed-servers.js';
import type { RegistrationStatus } from './failover-state.js';
import type { PullFault } from './pull.js';
import { Suspects } from './suspects.js';

/** It follows the registry from when it is made until `close`. */
export class Endpoints {
  readonly #channel: ChannelName;
  readonly #balancer: Picks;
  readonly #failed = new FailedServers();
  readonly #suspects = new Suspects();
  readonly #unsubscribe: () => void;
  #registered: readonly Endpoint[];

  /** @param onChange one came, went, has another address, begins or ends to drain */
  constructor(channel: ChannelName, tools: { store: ChannelSource; balancer: Picks }, onChange: () => void) {
    this.#channel = channel;
    this.#balancer = tools.balancer;
    const { store } = tools;
    this.#registered = store.channel(channel)?.endpoints ?? [];
    this.#unsubscribe = store.follow(channel, () => {
      if (this.#update(store.channel(channel)?.endpoints ?? [])) onChange();
    });
  }

  /** There is none besides the one that is registered, if any is. Behind another edge there are the origins. */
  get isAlone(): boolean {
    return this.#registered.length <= 1 && this.#registered[0]?.peer !== 'edge';
  }

  /**
   * Picks one of those that have not failed. Its pick ends, like any other, with `done`.
   *
   * @param besides one that is to be left: its server is not wanted either, and if it drains none that drains
   * @throws WeirError as the balancer does: no_endpoint, unknown_channel, not_ready, worker_lost
   */
  pick(besides: Pick | undefined): Pick {
    const exclude = this.#failed.list();
    if (besides !== undefined) {
      exclude.push(besides.server);
      // From one that drains to another one that does nobody is led.
      if (this.#drains(besides.endpoint.address)) exclude.push(...this.#draining());
    }
    return this.#suspects.watch(this.#balancer.pick(this.#channel, { exclude }));
  }

  /** It failed: not picked until it is pardoned or registered anew. */
  blame({ server, endpoint }: Pick): void {
    this.#failed.add(server, endpoint.id);
  }

  /** All who failed may be picked again. */
  pardon(): void {
    this.#failed.clear();
  }

  /** The stream exists: endpoints that did not deliver it are at fault. */
  prove(): void {
    this.#suspects.exists();
  }

  /** Whether an endpoint is registered at this address, as the same registration or as a new one. */
  has(address: ServiceAddress): boolean {
    return this.#registered.some((endpoint) => endpoint.address === address);
  }

  /** Between peers, and between a peer and the endpoints, a channel moves; what delivers then is well. */
  registrationOf(current: Endpoint): RegistrationStatus {
    if (this.has(current.address)) return this.#drains(current.address) ? 'draining' : 'registered';
    const isMoved = this.#registered.some((other) => current.peer !== undefined || other.peer !== undefined);
    return isMoved ? 'moved' : 'deregistered';
  }

  /** A peer that still has the channel ends a stream only after it gave up: another try would not do better. */
  isFinal(fault: PullFault, from: Endpoint): boolean {
    if (fault !== 'end' || from.peer === undefined) return false;
    return this.#registered.some(({ address }) => serverOf(address) === serverOf(from.address));
  }

  /** Stops following the registry; open failures are not judged any more. */
  close(): void {
    this.#unsubscribe();
    this.#suspects.close();
  }

  /** All who serve the channel at this address drain. */
  #drains(address: ServiceAddress): boolean {
    const here = this.#registered.filter((endpoint) => endpoint.address === address);
    return here.length > 0 && here.every(({ draining }) => draining === true);
  }

  #draining(): readonly ServerOrigin[] {
    return this.#registered.filter(({ draining }) => draining === true).map(({ address }) => serverOf(address));
  }

  /** What else endpoints report is of no matter here. */
  #update(now: readonly Endpoint[]): boolean {
    const before = this.#registered;
    this.#registered = now;
    if (now.length === before.length && now.every((endpoint) => before.some((known) => isSame(known, endpoint)))) {
      return false;
    }
    this.#failed.forgive(now);
    return true;
  }
}

function isSame(one: Endpoint, other: Endpoint): boolean {
  return one.id === other.id && one.address === other.address && one.draining === other.draining;
}

/**
 * ms without media after which an endpoint is left: another worker may first spend the grace on its own failover. Another edge is
 * not waited for: from here there are the origins, and a way to it that is broken.
 */
export function stallTimeoutOf(
  { peer }: Endpoint,
  { stallTimeoutMs, graceMs }: { readonly stallTimeoutMs: number; readonly graceMs: number },
): number {
  return peer === 'worker' ? stallTimeoutMs + graceMs : stallTimeoutMs;
}
