// The interface of all registries: ZooKeeper, leases and files look the same from here.

import type { SkipReason } from '../metrics.js';
import type { Endpoint, EndpointId } from '../model.js';
import type { ValueFault, ValueField } from '../value-faults.js';
import type { FleetSession } from './coordination/session.js';

/** Events inside a registry that operators want to see. A correct snapshot never needs them. */
export type RegistryNote =
  /** A change that the registry reported, by its kind (`created`, `child`, `changed`, `deleted`, `lease_expired`, …). */
  | { readonly kind: 'event'; readonly event: string }
  /** A registration that is skipped, since no decoder accepts it. `path` is for the log, never for a label. */
  | { readonly kind: 'skipped'; readonly reason: SkipReason; readonly path: string }
  /** An invalid value of an accepted registration (a string, negative, a percentage). It counts as unknown. */
  | { readonly kind: 'unknown_value'; readonly field: ValueField; readonly reason: ValueFault; readonly path: string }
  /**
   * Session life: `connected`, `connecting` (lost), `expired`, `auth_failed`, `watchdog` (no server answered), `unresolved`
   * (no server has an address), `restarted` (the registry process ended).
   */
  | { readonly kind: 'session'; readonly state: string }
  /** Sessions that have a connection, of those that the registry needs to be followed. */
  | { readonly kind: 'sessions'; readonly open: number; readonly wanted: number }
  /** Why a session is refused or no server can be reached, in words. */
  | { readonly kind: 'unreached'; readonly why: string }
  /** Σ(path bytes + 4) of the watches of the largest session. Above a limit ZooKeeper cannot re-arm them after a reconnect. */
  | { readonly kind: 'watched'; readonly bytes: number; readonly sessions: number; readonly alarm: boolean }
  /** All registrations that cannot be used now: nodes by reason, values by field and reason with a space between. */
  | {
      readonly kind: 'census';
      readonly skipped: Readonly<Record<string, number>>;
      readonly unknown: Readonly<Record<string, number>>;
    }
  /** The root or the chroot does not exist: nothing was ever registered, or it is mistyped. */
  | { readonly kind: 'missing'; readonly node: 'root' | 'chroot'; readonly path: string };

/**
 * Receives the endpoints of a registry. Calls arrive in order, from one source at a time.
 *
 * `seenAt` is when the change became known to this machine (epoch milliseconds, fractional), for the
 * event-to-snapshot delay; omitted where there was no event (a full read).
 */
export interface RegistrySink {
  /** A complete picture: endpoints that are not in `all` are gone. How they vanished is not known. */
  replace(all: Iterable<Endpoint>): void;
  /** A new endpoint, or a new report of a known one (same id, higher version). */
  put(endpoint: Endpoint, seenAt?: number): void;
  /** The endpoint's node was deleted while the registry is followed. Unknown ids are ignored. */
  drop(id: EndpointId, seenAt?: number): void;
  /** `live` follows a `replace`; `stale` keeps the last known endpoints. */
  status(state: 'live' | 'stale'): void;
  note(note: RegistryNote): void;
}

/**
 * A source of endpoints. `run` feeds `sink` until `signal` aborts, and then resolves with every timer, socket and listener
 * released. It rejects only for errors that no retry mends (a bad setting). A lost registry is no such error: the status
 * becomes `stale`, and the connection is tried again.
 */
export interface Registry {
  /**
   * @param known the sink has endpoints of an earlier run, so a missing root must not count as an empty registry. Default false
   */
  run(sink: RegistrySink, signal: AbortSignal, known?: boolean): Promise<void>;
  /** The session by which edges agree, connected while `run` runs. Only where the registry is in ZooKeeper. */
  readonly fleet?: FleetSession | undefined;
}
