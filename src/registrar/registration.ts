// The values that an endpoint reports, and the handle that keeps it registered: the same for ZooKeeper and for leases.

import type { SaidTraits } from '../registry/formats/channel-info.js';
import { expectedTraits, type Status, statuses } from '../registry/formats/traits.js';
import { faultOf, maxBitrateKbps } from '../registry/formats/values.js';

/** The values that an endpoint reports; undefined is unknown. */
export interface ReportedValues {
  /** Fraction 0..1. */
  readonly load?: number | undefined;
  /** kbit/s. */
  readonly bitrate?: number | undefined;
  /** Fraction 0..1. */
  readonly packetLoss?: number | undefined;
  /** Draining: its streams move away without an interruption. Off: it serves nobody. undefined: live. */
  readonly status?: Status | undefined;
}

export interface EndpointInfo extends ReportedValues {
  /** `host:port`, an http(s) URL or a URL template. */
  readonly address: string;
  /** All but its status. They do not change. */
  readonly traits?: Omit<SaidTraits, 'status' | 'report'>;
}

/** An endpoint that stays registered until `close`. */
export interface Registration {
  /** Its present place: a znode path or a URL. It may change when the endpoint has to be registered again. */
  readonly path: string;
  /** Resolves when it is registered for the first time; rejects with an error that no retry mends. It is tried again all the same. */
  readonly made: Promise<void>;
  /**
   * Reports new values; values that are not named stay. Reports that are not written yet are merged.
   *
   * @throws RangeError for a value out of range
   */
  update(values: ReportedValues): void;
  /** Takes the endpoint out. Idempotent. */
  close(): void;
}

const limits = { load: 1, bitrate: maxBitrateKbps, packetLoss: 1 } as const;
const expected = {
  load: 'a fraction from 0 to 1',
  bitrate: 'kbit/s from 0 to 1e9',
  packetLoss: 'a fraction from 0 to 1',
};

/**
 * The values with `update` on top.
 *
 * @throws RangeError that names the value and what was expected
 */
export function mergeValues(values: ReportedValues, update: ReportedValues): Required<ReportedValues> {
  for (const name of ['load', 'bitrate', 'packetLoss'] as const) {
    const value = update[name];
    if (value !== undefined && faultOf(value, limits[name]) !== undefined) {
      throw new RangeError(`${name}: expected ${expected[name]}, not ${String(value)}`);
    }
  }
  const { load, bitrate, packetLoss, status } = { ...values, ...update };
  if (status !== undefined && !statuses.includes(status)) {
    throw new RangeError(`status: expected ${expectedTraits.status}, not ${String(status)}`);
  }
  return { load, bitrate, packetLoss, status };
}
