// Plugs weir's own compiled policies into the simulation: the same code that serves players decides here.

import { Adaptive } from '../../src/balancer/adaptive.js';
import { Affinity, type AffinitySettings } from '../../src/balancer/affinity.js';
import { EndpointStates } from '../../src/balancer/endpoint-state.js';
import { createPolicy, type PolicyName } from '../../src/balancer/policies.js';
import type { Candidate, PickContext, Policy } from '../../src/balancer/policy.js';
import type { ChannelName, EndpointId, ServerOrigin, ServiceAddress } from '../../src/model.js';
import type { EdgeOptions, EdgePolicy, Ending, PolicyModule, View } from './contract.js';

const outlier = { consecutiveFailures: 5, baseEjection: 30_000, maxEjection: 300_000 };

export function weirPolicy(name: PolicyName): PolicyModule {
  return (options) => new AdaptedPolicy(createPolicy(name), options);
}

/** The default policy, told what part of the load is ours: what it could reach if it did not have to learn that. */
export const informed: PolicyModule = (options) => {
  const { ownPart = () => 0 } = options;
  return new AdaptedPolicy(new Adaptive((mean) => mean * ownPart()), options);
};

class AdaptedPolicy implements EdgePolicy {
  readonly #policy: Policy;
  readonly #context: PickContext & { readonly settings: AffinitySettings };
  readonly #states = new EndpointStates(outlier);
  readonly #candidates = new Map<number, Candidate>();
  readonly #lists = new WeakMap<readonly View[], { version: number; candidates: readonly Candidate[] }>();
  readonly #affinity = new Affinity();
  /** Grows with every change of a candidate: lists made before are out of date. */
  #version = 0;

  constructor(policy: Policy, { rng, edges, affinityMargin }: EdgeOptions) {
    this.#policy = policy;
    const settings = { lossWeight: 10, tieBand: 0.02, edges: edges ?? 1, affinityMargin: affinityMargin ?? 0 };
    this.#context = { now: 0, key: 'channel', random: rng, workers: 1, settings };
  }

  pick(views: readonly View[], now: number, channel?: number): number {
    const candidates = this.#listOf(views);
    if (channel === undefined) return this.#policy.pick(candidates, this.#at(now));
    const name = `${channel}` as ChannelName;
    const kept = this.#affinity.stay(name, candidates, this.#at(now));
    const index = kept >= 0 ? kept : this.#policy.pick(candidates, this.#at(now));
    const picked = candidates[index];
    if (picked !== undefined) this.#affinity.stick(name, picked);
    return index;
  }

  stays(views: readonly View[], now: number, channel: number): boolean {
    return this.#affinity.stay(`${channel}` as ChannelName, this.#listOf(views), this.#at(now)) >= 0;
  }

  onReport(view: View, now: number): void {
    const candidate = this.#candidate(view);
    this.#candidates.set(view.id, candidate);
    this.#version += 1;
    this.#policy.onReport?.(candidate, this.#at(now));
  }

  onLeave(view: View): void {
    const { endpoint, state } = this.#of(view);
    const { server } = state;
    this.#policy.onDrop?.(endpoint.id);
    this.#candidates.delete(view.id);
    this.#version += 1;
    if ([...this.#candidates.values()].some((candidate) => candidate.state.server === server)) return;
    this.#states.forget(server);
    this.#policy.onLeave?.(server);
  }

  onStart(view: View, now: number): void {
    const candidate = this.#of(view);
    this.#states.acquire(candidate.state.server);
    this.#policy.onStart?.(candidate, this.#at(now));
  }

  onDone(view: View, now: number, { durationSec, ok }: Ending): void {
    const candidate = this.#of(view);
    this.#states.release(candidate.state.server);
    const outcome = ok ? 'success' : durationSec > 0 ? 'interrupted' : 'connect_error';
    this.#policy.onDone?.(candidate, outcome, durationSec * 1000, this.#at(now));
  }

  #at(now: number) {
    this.#context.now = now * 1000;
    return this.#context;
  }

  #of(view: View): Candidate {
    return this.#candidates.get(view.id) ?? this.#candidate(view);
  }

  #listOf(views: readonly View[]): readonly Candidate[] {
    const known = this.#lists.get(views);
    if (known !== undefined && known.version === this.#version && known.candidates.length === views.length) {
      return known.candidates;
    }
    const candidates = views.map((view) => this.#of(view));
    this.#lists.set(views, { version: this.#version, candidates });
    return candidates;
  }

  #candidate(view: View): Candidate {
    const address = `10.0.0.${view.server}:80` as ServiceAddress;
    const server = `http://${address}` as ServerOrigin;
    return {
      endpoint: {
        id: `${view.id}` as EndpointId,
        channel: 'channel' as ChannelName,
        address,
        load: view.load,
        packetLoss: view.packet_loss_rate,
        bitrate: view.bitrate,
        version: view.version,
      },
      state: this.#states.of(server),
      reportedAt: view.receivedAt * 1000,
      joinedAt: view.joinedAt * 1000,
    };
  }
}
