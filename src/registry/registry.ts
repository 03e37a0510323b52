// The boundary to where endpoints are registered. Everything behind it (ZooKeeper, leases) looks the same from here.

import type { SkipReason } from '../metrics.js';
import type { Endpoint, EndpointId } from '../model.js';
import type { ValueFault, ValueField } from '../value-faults.js';

/** What happens inside a registry that operators want counted; never needed for a correct snapshot. */
export type RegistryNote =
  /** A change the registry told of: which kind (`created`, `child`, `changed`, `deleted`, `lease_expired`, …). */
  | { readonly kind: 'event'; readonly event: string }
  /** A registration none of the decoders accepts; it is skipped. `path` is for the log, never for a label. */
  | { readonly kind: 'skipped'; readonly reason: SkipReason; readonly path: string }
  /** A value of an accepted registration that means nothing (a string, negative, a percentage): it counts as unknown. */
  | { readonly kind: 'unknown_value'; readonly field: ValueField; readonly reason: ValueFault; readonly path: string }
  /**
   * Session life: `connected`, `connecting` (lost), `expired`, `auth_failed`, `watchdog` (no server answered), `unresolved`
   * (no server has an address), `restarted` (the registry process ended).
   */
  | { readonly kind: 'session'; readonly state: string }
  /** Σ(path bytes + 4) of the watches of the session that has most: above a limit ZooKeeper cannot re-arm them after a reconnect. */
  | { readonly kind: 'watched'; readonly bytes: number; readonly sessions: number; readonly alarm: boolean }
  /** What of all that is registered now cannot be used: nodes by reason, values by field and reason with a space between. */
  | {
      readonly kind: 'census';
      readonly skipped: Readonly<Record<string, number>>;
      readonly unknown: Readonly<Record<string, number>>;
    }
  /** The root is not there, or not even the chroot that it should be in: nothing was ever registered, or it is mistyped. */
  | { readonly kind: 'missing'; readonly node: 'root' | 'chroot'; readonly path: string };

/**
 * Receives what a registry knows. Calls arrive in order, from one source at a time.
 *
 * `seenAt` is when the change became known to this machine (epoch milliseconds, fractional), for the
 * event-to-snapshot delay; omitted where there was no event (a full read).
 */
export interface RegistrySink {
  /** A complete picture: whatever is not in `all` is gone. Implies nothing about how it vanished. */
  replace(all: Iterable<Endpoint>): void;
  /** A new endpoint, or a new report of a known one (same id, higher version). */
  put(endpoint: Endpoint, seenAt?: number): void;
  /** The endpoint's node was seen to go while the registry is followed. Unknown ids are ignored. */
  drop(id: EndpointId, seenAt?: number): void;
  /** `live` follows a `replace`; `stale` freezes what was known. */
  status(state: 'live' | 'stale'): void;
  note(note: RegistryNote): void;
}

/**
 * A source of endpoints. `run` feeds `sink` until `signal` aborts and then resolves, with every timer, socket and
 * listener released. It rejects only for errors that no retry can heal (a bad setting); losing the registry is not one:
 * it says `stale` and goes on trying.
 */
export interface Registry {
  /**
   * @param known the sink holds endpoints of an earlier run: a registry that is missing altogether must not pass for an
   *   empty one. Default false
   */
  run(sink: RegistrySink, signal: AbortSignal, known?: boolean): Promise<void>;
}
