// The input and the output of every wire format.

import type { ServiceAddress, Traits } from '../../model.js';
import type { TraitField } from '../../traits.js';

/** A node of a tree before its format is known. */
export interface RegisteredNode {
  /** The last segment of its path. */
  readonly name: string;
  /** `channel`: a child of the root. `endpoint`: a child of a channel. */
  readonly level: 'channel' | 'endpoint';
  readonly data: Uint8Array;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** A node with its data as text, and as JSON where the text starts like an object or a list. */
export interface ReadNode {
  readonly name: string;
  readonly level: 'channel' | 'endpoint';
  /** Trimmed. */
  readonly text: string;
  readonly json: JsonObject | undefined;
  readonly list: readonly unknown[] | undefined;
}

/** A value that is present but invalid, so it counts as unknown. Both fields are bounded, since they become metric labels. */
export interface UnknownValue {
  readonly field: NumberField | TextField;
  readonly reason: NumberFault | TextFault;
}

export type NumberField = 'load' | 'bitrate' | 'packet_loss_rate' | TraitField<'number' | 'whole'>;
export type NumberFault = 'not_a_number' | 'negative' | 'above_one' | 'too_large' | 'not_whole';
export type TextField = 'status' | 'path' | 'report' | 'endpoints' | TraitField<'text' | 'text_or_number' | 'texts'>;
export type TextFault = 'not_a_text' | 'too_long' | 'malformed' | 'not_known' | 'too_many';

export interface Values {
  /** Fraction 0..1. */
  readonly load: number | undefined;
  /** kbit/s. */
  readonly bitrate: number | undefined;
  /** Fraction 0..1. */
  readonly packetLoss: number | undefined;
  /** Faults of these values and of the traits. */
  readonly unknown: readonly UnknownValue[];
}

/** Why a node is skipped. Bounded, since it becomes a metric label. */
export type SkipReason = 'too_large' | 'not_utf8' | 'bad_json' | 'unknown_format' | 'no_address' | 'bad_address';

/** One endpoint that a node registers. */
export interface RegisteredEndpoint {
  readonly address: ServiceAddress;
  readonly values: Values;
  readonly traits: Traits;
  /** False: it serves nobody now by its own word (not UP, not ALIVE, disabled, off). */
  readonly eligible: boolean;
  /** The selectors by which a sibling's `weights` may name it. */
  readonly selectors?: readonly string[];
  /** The path of a znode with its load, bitrate and packet loss, which many endpoints may share. */
  readonly report?: string;
}

/** The defaults that a channel has for its endpoints. */
export interface Defaults {
  readonly values: Values;
  readonly traits: Traits;
  /** False: none of the endpoints serves anybody now. */
  readonly eligible: boolean;
  /** Added to addresses without a path. */
  readonly path: string | undefined;
}

export type Decoded =
  /** At least one. Several are distinguished by their addresses. */
  | { readonly kind: 'endpoints'; readonly registrations: readonly [RegisteredEndpoint, ...RegisteredEndpoint[]] }
  /** A channel's own data without an address. */
  | ({ readonly kind: 'defaults' } & Defaults)
  /** Not an endpoint: the weights of its siblings, by selector. */
  | {
      readonly kind: 'weights';
      readonly bySelector: ReadonlyMap<string, number>;
      readonly unknown: readonly UnknownValue[];
    }
  /** A channel that is only a folder. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'skipped'; readonly reason: SkipReason };

/** Decodes the nodes of one format; undefined: the node has another format. */
export type Format = (node: ReadNode) => Decoded | undefined;

/** A node that registers one endpoint. */
export function oneEndpoint(
  address: ServiceAddress,
  values: Values,
  more: Partial<Omit<RegisteredEndpoint, 'address' | 'values'>> = {},
): Decoded {
  return { kind: 'endpoints', registrations: [{ address, values, traits: {}, eligible: true, ...more }] };
}
