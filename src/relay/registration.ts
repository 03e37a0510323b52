// Pure: what the registry says of the endpoint that a pull came from, and what differs where that is another worker, which
// holds its viewers, this one among them, through a failover of its own.

import type { ChannelName, Endpoint, EndpointId, ServiceAddress, Snapshot } from '../model.js';
import { serverOf } from '../net-address.js';
import type { Change } from '../snapshot/update.js';
import type { Registration } from './failover-state.js';
import type { PullFault } from './pull.js';

/** The endpoints of one channel, as the relay last heard of them. */
export class RegisteredEndpoints {
  readonly #channel: ChannelName;
  #endpoints: readonly Endpoint[];

  constructor(channel: ChannelName, snapshot: Snapshot) {
    this.#channel = channel;
    this.#endpoints = snapshot.channels.get(channel)?.endpoints ?? [];
  }

  get all(): readonly Endpoint[] {
    return this.#endpoints;
  }

  /** Takes the next snapshot. False where none came, went or has another address; what they report is of no matter here. */
  update(snapshot: Snapshot, { put, drop }: Change): boolean {
    const known = this.#ids();
    const isAny = ({ channel }: Endpoint) => channel === this.#channel;
    if (!drop.some(isAny) && !put.some((endpoint) => isAny(endpoint) && !known.has(endpoint.id))) return false;
    this.#endpoints = snapshot.channels.get(this.#channel)?.endpoints ?? [];
    return true;
  }

  /** Whether anybody serves the channel at this address: whoever registers it again is the same to a pull. */
  has(address: ServiceAddress): boolean {
    return this.#endpoints.some((endpoint) => endpoint.address === address);
  }

  /** Between workers, and between a worker and the endpoints, a channel moves; what delivers then is well. */
  registrationOf(current: Endpoint): Registration {
    if (this.has(current.address)) return 'registered';
    const isMoved = this.#endpoints.length > 0 && (current.isPeer === true || this.#endpoints.some((e) => e.isPeer));
    return isMoved ? 'moved' : 'deregistered';
  }

  /** Another worker that still has the channel ends a stream only when it gave up: no other one would do better. */
  isFinal(fault: PullFault, from: Endpoint): boolean {
    if (fault !== 'end' || from.isPeer !== true) return false;
    return this.#endpoints.some(({ address }) => serverOf(address) === serverOf(from.address));
  }

  #ids(): ReadonlySet<EndpointId> {
    return new Set(this.#endpoints.map(({ id }) => id));
  }
}

/** ms without media after which an endpoint is left: another worker may first spend the grace on its own failover. */
export function stallTimeoutOf(
  { isPeer }: Endpoint,
  { stallTimeout, grace }: { readonly stallTimeout: number; readonly grace: number },
): number {
  return isPeer === true ? stallTimeout + grace : stallTimeout;
}
