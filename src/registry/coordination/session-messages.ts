// What the supervisor and the registry process say to each other of the fleet's session.

import type { CreateMode, FleetErrorKind, FleetState, WatchKind } from './session.js';

/** One call of a FleetSession. */
export type NodeCall =
  | { readonly about: 'get'; readonly path: string }
  | { readonly about: 'children'; readonly path: string }
  | { readonly about: 'create'; readonly path: string; readonly data: string; readonly mode: CreateMode }
  | { readonly about: 'set'; readonly path: string; readonly data: string; readonly version: number }
  | { readonly about: 'remove'; readonly path: string; readonly version: number | undefined };

/** From the supervisor. Sessions are numbered by the registry process, from 1 on. */
export type SessionRequest =
  /** The supervisor runs. It is answered once a server has confirmed the session after it came. */
  | { readonly kind: 'ping'; readonly id: number }
  /** Done in this session or not at all. */
  | { readonly kind: 'call'; readonly id: number; readonly session: number; readonly call: NodeCall }
  | { readonly kind: 'watch'; readonly path: string; readonly what: WatchKind }
  | { readonly kind: 'unwatch'; readonly path: string; readonly what: WatchKind }
  /** The supervisor counts this session as lost: it must end. */
  | { readonly kind: 'renew'; readonly session: number };

/** From the registry process. */
export type SessionReply =
  | { readonly kind: 'state'; readonly session: number; readonly state: FleetState; readonly timeoutMs: number }
  | { readonly kind: 'pong'; readonly id: number; readonly session: number; readonly timeoutMs: number }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: FleetErrorKind; readonly what: string }
  | { readonly kind: 'changed'; readonly watched: readonly { readonly path: string; readonly what: WatchKind }[] };
