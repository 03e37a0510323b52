// What the registry process and its parent say to each other.

import type { Endpoint, EndpointId } from '../model.js';
import type { LogLevel } from './logger.js';
import type { RegistryNote } from './registry.js';
import type { ZooKeeperSettings } from './zookeeper.js';

export interface StartMessage {
  readonly kind: 'start';
  /** Credentials are among them: they travel over IPC only, never in arguments or the environment. */
  readonly settings: ZooKeeperSettings;
  /** True: an earlier process told endpoints. */
  readonly known: boolean;
}

/** What the parent says. */
export type ParentMessage =
  | StartMessage
  /** It closes its session and ends. */
  | { readonly kind: 'stop' };

export type Change =
  | { readonly kind: 'put'; readonly endpoint: Endpoint; readonly seenAt: number | undefined }
  | { readonly kind: 'drop'; readonly id: EndpointId; readonly seenAt: number | undefined };

export type ChildMessage =
  /** Part of a complete picture: it is told when `last` arrives. */
  | { readonly kind: 'replace'; readonly first: boolean; readonly last: boolean; readonly endpoints: Endpoint[] }
  | {
      readonly kind: 'batch';
      readonly changes: Change[];
      readonly notes: RegistryNote[];
      readonly status: 'live' | 'stale' | undefined;
    }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly fields: object; readonly message: string }
  /** What only whoever runs weir can mend. */
  | { readonly kind: 'fatal'; readonly message: string }
  /** The event loop of the child turns. */
  | { readonly kind: 'heartbeat' };

/** Milliseconds between two heartbeats. */
export const heartbeatIntervalMs = 1_000;
