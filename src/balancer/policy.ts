// What a policy is. Each policy is a file beside this one; `policies.ts` maps names to them.

import type { Outcome } from '../errors.js';
import type { Endpoint, EndpointId, ServerOrigin } from '../model.js';

export type { Outcome } from '../errors.js';

/** Local knowledge about one server, shared by all channels it serves. Owned by `endpoint-state.ts`. */
export interface ServerState {
  readonly server: ServerOrigin;
  /** Picks not yet done. */
  readonly inFlight: number;
  /** Failures in a row since the last success. */
  readonly consecutiveFailures: number;
  /** Monotonic ms until which passive health keeps it out; 0 when it never did. */
  readonly ejectedUntil: number;
  /** Ejections that the next one's length is multiplied with. */
  readonly timesEjected: number;
  /** Sequence number of the last pick of this server by this edge; 0 when never picked. */
  readonly lastPick: number;
}

/** An endpoint a policy may choose, with what is known of it here. */
export interface Candidate {
  readonly endpoint: Endpoint;
  readonly state: ServerState;
  /** Monotonic ms at which this endpoint's version was first seen here: the age of its report. */
  readonly reportedAt: number;
  /** Monotonic ms at which this endpoint was first seen here: for slow starts. */
  readonly joinedAt: number;
}

/** Everything besides the candidates that a decision may use. One object lives as long as the balancer: a pick allocates none. */
export interface PickContext {
  /** Monotonic ms. */
  now: number;
  /** What rendezvous hashes: the channel's name, unless the caller has something finer. */
  key: string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Processes of this edge that pick each on its own, this one among them; 1 when alone. */
  workers: number;
  readonly settings: PolicySettings;
}

export interface PolicySettings {
  /** How much load one unit of packet loss is worth. Default 10: 1 % loss weighs like 10 points of load. */
  readonly lossWeight: number;
  /** Scores this close to the lowest count as equal, so that ties spread. */
  readonly tieBand: number;
  /** Edges that pick from the same registry; 1 when alone. */
  readonly edges: number;
}

/** Why an endpoint scores as it does, for `explain`. Lower `score` is better. */
export interface Terms {
  readonly score: number;
  readonly [term: string]: number | undefined;
}

/** What a policy has learned, for metrics. */
export interface PolicyStatus {
  /** By what part of a server's load the reports follow this edge's shares, 0..1. */
  readonly gain: number;
  /** Shares of the picked kbit/s that the busiest servers got lately, highest first; ten at most. */
  readonly busiest: readonly number[];
}

/**
 * A balancing policy. `pick` is pure but for what the observers recorded: it returns an index into `candidates`, which
 * is never empty, allocates nothing, and never throws whatever the reports contain. Stateless policies have no observers.
 */
export interface Policy {
  /** Why it picks an endpoint, for `explain`; without it, by the score, and by the shares that `terms` gives. */
  readonly why?: string;
  pick(candidates: readonly Candidate[], context: PickContext): number;
  /** `among`: the candidates a pick would choose from, for policies whose answer depends on them. */
  terms(candidate: Candidate, context: PickContext, among?: readonly Candidate[]): Terms;
  status?(context: PickContext): PolicyStatus;
  /** A new report (a version not seen before) of an endpoint, or its first one. */
  onReport?(candidate: Candidate, context: PickContext): void;
  /** A pick begins to occupy the server. */
  onStart?(candidate: Candidate, context: PickContext): void;
  /** The first byte arrived `elapsed` ms after the start. */
  onFirstByte?(candidate: Candidate, elapsedMs: number, context: PickContext): void;
  /** A pick ended after `elapsed` ms. */
  onDone?(candidate: Candidate, outcome: Outcome, elapsedMs: number, context: PickContext): void;
  /** No endpoint of this server is left in the snapshot. */
  onLeave?(server: ServerOrigin): void;
  /** An endpoint left the snapshot; its server may have others. */
  onDrop?(endpoint: EndpointId): void;
}
