// Candidates and a context as a balancer would hand them to a policy.

import { seeded } from '../../bench/balance/random.js';
import type { Candidate, PickContext, ServerState } from '../../src/balancer/policy.js';
import type { ChannelName, EndpointId, ServerOrigin, ServiceAddress } from '../../src/model.js';

export interface Given {
  readonly channel?: string;
  readonly address?: string;
  readonly load?: unknown;
  readonly packetLoss?: unknown;
  readonly bitrate?: number;
  readonly version?: number;
  readonly reportedAt?: number;
  readonly joinedAt?: number;
  readonly state?: Partial<ServerState>;
}

/** Values are taken as they come, numbers or not, as a hostile registration would send them. */
export function candidate(given: Given = {}): Candidate {
  const channel = given.channel ?? 'news';
  const address = (given.address ?? '10.0.0.1:80') as ServiceAddress;
  return {
    endpoint: {
      id: `/channels/${channel}/${address}` as EndpointId,
      channel: channel as ChannelName,
      address,
      load: given.load as number | undefined,
      bitrate: given.bitrate,
      packetLoss: given.packetLoss as number | undefined,
      version: given.version ?? 1,
    },
    state: {
      server: `http://${address}` as ServerOrigin,
      inFlight: 0,
      consecutiveFailures: 0,
      ejectedUntil: 0,
      timesEjected: 0,
      lastPick: 0,
      ...given.state,
    },
    reportedAt: given.reportedAt ?? 0,
    joinedAt: given.joinedAt ?? 0,
  };
}

/** One candidate for each pair of load and loss, addresses 10.0.0.0 upwards. */
export function candidates(...values: readonly (readonly [load: unknown, packetLoss?: unknown])[]): Candidate[] {
  return values.map(([load, packetLoss], i) => candidate({ address: `10.0.0.${i}:80`, load, packetLoss }));
}

export function context(seed = 1, given: Partial<PickContext> = {}): PickContext {
  return {
    now: 0,
    key: 'news',
    random: seeded(seed),
    workers: 1,
    settings: { lossWeight: 10, tieBand: 0.02, edges: 1 },
    ...given,
  };
}
