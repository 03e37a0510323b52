// What every wire format is given and what it makes of it.

import type { ServiceAddress, Traits } from '../../model.js';

/** A registration as it stands in the tree, before anything is known about its format. */
export interface RegisteredNode {
  /** The last segment of its path. */
  readonly name: string;
  /** `channel`: a child of the root. `endpoint`: a child of a channel. */
  readonly level: 'channel' | 'endpoint';
  readonly data: Uint8Array;
}

/** A node whose data was read as text, and as JSON where the text begins like an object. */
export interface ReadNode {
  readonly name: string;
  readonly level: 'channel' | 'endpoint';
  /** Without white space around it. */
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>> | undefined;
}

/** A value that was there and meant nothing: it counts as unknown. */
export interface UnknownValue {
  readonly field: 'load' | 'bitrate' | 'packet_loss_rate';
  readonly reason: 'not_a_number' | 'negative' | 'above_one' | 'too_large';
}

export interface Values {
  /** Fraction 0..1. */
  readonly load: number | undefined;
  /** kbit/s. */
  readonly bitrate: number | undefined;
  /** Fraction 0..1. */
  readonly packetLoss: number | undefined;
  readonly unknown: readonly UnknownValue[];
}

/** Why a node is skipped. Bounded: it becomes a metric label. */
export type SkipReason = 'too_large' | 'not_utf8' | 'bad_json' | 'unknown_format' | 'no_address' | 'bad_address';

/** One endpoint that a node registers. */
export interface Registration {
  readonly address: ServiceAddress;
  readonly values: Values;
  readonly traits: Traits;
  /** False: it says itself that it serves nobody now (not UP, not ALIVE, disabled, off). */
  readonly eligible: boolean;
  /** Its number among its siblings, by which a sibling's `weights` name it. */
  readonly shard?: number;
}

export type Decoded =
  /** At least one. Several are told apart by their addresses. */
  | { readonly kind: 'endpoints'; readonly registrations: readonly [Registration, ...Registration[]] }
  /** A channel's own data without an address: what its endpoints do not say themselves. */
  | { readonly kind: 'defaults'; readonly values: Values; readonly traits: Traits }
  /** No endpoint, but the weights of its siblings by their shard. */
  | { readonly kind: 'weights'; readonly byShard: ReadonlyMap<number, number> }
  /** A channel that is only a folder. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'skipped'; readonly reason: SkipReason };

/** Decodes the nodes of its format; undefined: the node is of another one. */
export type Format = (node: ReadNode) => Decoded | undefined;

/** A node that registers one endpoint and says no more than its address and its load. */
export function oneEndpoint(address: ServiceAddress, values: Values, traits: Traits = {}): Decoded {
  return { kind: 'endpoints', registrations: [{ address, values, traits, eligible: true }] };
}
