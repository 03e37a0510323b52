// What edges agree by: one session with ZooKeeper for nodes that are read, written and watched, and that says when it is lost.

import { OperatorError } from '../../errors.js';
import { isLost, rc } from '../zookeeper-client.js';

/** A node as it was read. */
export interface FleetNode {
  /** UTF-8; what is no UTF-8 is replaced. Anybody may have written it. */
  readonly data: string;
  /** The number of changes of its data: what `set` and `remove` compare. */
  readonly version: number;
  /**
   * The transaction that created the node, in decimal. It grows with every node made in one ensemble, so it serves as a fencing
   * token. As a number it is exact below 2^53.
   */
  readonly czxid: string;
  /** An ephemeral node of this very session. */
  readonly mine: boolean;
}

/**
 * `ephemeral`: goes with the session. `ephemeral_sequential`: also gets ten digits at its end that count up below its parent.
 * Whoever makes one puts a GUID into its name, to find it again when the answer is lost.
 */
export type CreateMode = 'persistent' | 'ephemeral' | 'ephemeral_sequential';

export type FleetState =
  /** `fresh`: a new session, which owns no node. Else the connection of the known one came back. */
  | { readonly kind: 'connected'; readonly fresh: boolean }
  /** No connection now; the session may still be alive. Calls fail until `connected`. */
  | { readonly kind: 'suspended' }
  /** The session is over, or was given up since no answer came for 2/3 of its timeout. Its ephemeral nodes are gone or go. */
  | { readonly kind: 'lost' };

/**
 * A session with ZooKeeper. It is never on the path of a player's request: every call may fail, and without ZooKeeper all do.
 *
 * Calls reject with a FleetError. They end at the latest when the session does. A call is done in the session in which
 * it was asked, or not at all.
 */
export interface FleetSession {
  /** The node; undefined where there is none. A server that lags behind may answer. */
  get(path: string): Promise<FleetNode | undefined>;
  /** The names of the children in no order; undefined where there is no such node. */
  children(path: string): Promise<readonly string[] | undefined>;
  /**
   * Makes a node, and the nodes above it that are missing (persistent). With credentials only they may change what was made,
   * and everybody may read it.
   *
   * @param data at most `maxDataBytes`
   * @returns the path made, which differs from `path` with `ephemeral_sequential`
   * @throws FleetError `exists`; `lost`: it may have been made
   */
  create(path: string, data: string, mode: CreateMode): Promise<string>;
  /**
   * Writes a node that has this version.
   *
   * @returns its new version
   * @throws FleetError `conflict`: it has another version; `missing`; `lost`: it may have been written
   */
  set(path: string, data: string, version: number): Promise<number>;
  /**
   * Removes a node that has no children, whatever its version where none is given. One that is gone already is fine.
   *
   * @throws FleetError `conflict`: it has another version; `not_empty`
   */
  remove(path: string, version?: number): Promise<void>;
  /**
   * Calls `changed` once the watch is set, whenever the node (made, written, removed) or the list of its children may have
   * changed, and after every `connected`. It says only that something may have changed: read it then. The node need not exist.
   *
   * @returns ends it
   * @throws FleetError `busy` beyond `maxWatches`
   */
  watch(path: string, what: WatchKind, changed: () => void): () => void;
  /**
   * Calls `listener` at each change of the state, first with `connected` and `fresh`: at once where there is a connection.
   *
   * @returns ends it
   */
  subscribe(listener: (state: FleetState) => void): () => void;
  /**
   * Whether the session is certainly alive: a server confirmed it less than 2/3 of the session timeout ago, by the monotonic
   * clock, counted from when it was asked. Ask before each act that only the owner of a node may do: a process that stood still
   * learns here, before any event, that it was too long.
   */
  isAlive(): boolean;
  /** The session timeout in ms as the server granted it; before that as it was asked for. */
  readonly timeoutMs: number;
}

export type WatchKind = 'data' | 'children';

/** Bytes of a node's data, as read and as written. */
export const maxDataBytes = 100_000;
/** Calls under way. Further ones are refused. */
export const maxCalls = 1_000;
/** Σ of the data of the calls under way. */
export const maxCallBytes = 8_000_000;
/** Watched paths. */
export const maxWatches = 10_000;
/** Σ(path bytes + 4) of the watches: after a reconnect they go in one packet, of which the server takes 1 MB. */
export const maxWatchedBytes = 800_000;
/** The part of the session timeout for which a session counts as alive without an answer. */
export const aliveShare = 2 / 3;

export type FleetErrorKind =
  /** No connection, or it was lost before the answer: what was asked may have been done or not. */
  | 'lost'
  | 'exists'
  | 'missing'
  | 'conflict'
  | 'not_empty'
  | 'denied'
  | 'too_large'
  /** Too many calls or watches: nothing was done. */
  | 'busy'
  /** There is no fleet: the registry is not in ZooKeeper, or `fleet.enabled` is off. */
  | 'disabled'
  | 'failed';

const words: Readonly<Record<FleetErrorKind, string>> = {
  lost: 'the connection to ZooKeeper was lost; it may have been done or not',
  exists: 'it exists already',
  missing: 'no such node; a chroot has to exist beforehand',
  conflict: 'another client changed it meanwhile',
  not_empty: 'there are nodes below it',
  denied: 'not authorized, see registry.zookeeper.credentials and the ACL',
  too_large: `more than ${maxDataBytes} bytes`,
  busy: 'too many calls or watches at once',
  disabled: 'this edge is in no fleet, see fleet.enabled and registry.kind',
  failed: 'ZooKeeper refused it',
};

/** Why a call of a FleetSession did not do what it was asked. */
export class FleetError extends OperatorError {
  constructor(
    readonly kind: FleetErrorKind,
    readonly what: string,
  ) {
    super(`${what}: ${words[kind]}`);
  }
}

const kinds: Readonly<Record<number, FleetErrorKind>> = {
  [rc.nodeExists]: 'exists',
  [rc.noNode]: 'missing',
  [rc.badVersion]: 'conflict',
  [rc.notEmpty]: 'not_empty',
  [rc.noAuth]: 'denied',
};

/** ZooKeeper's code as a FleetError. */
export function fleetError(code: number, what: string): FleetError {
  return new FleetError(isLost(code) ? 'lost' : (kinds[code] ?? 'failed'), what);
}
