// The messages between the registry process and its parent.

import type { Endpoint, EndpointId } from '../model.js';
import type { SessionReply, SessionRequest } from './coordination/session-messages.js';
import type { LogLevel } from './logger.js';
import type { RegistryNote } from './registry.js';
import type { ZooKeeperSettings } from './zookeeper.js';

export interface StartMessage {
  readonly kind: 'start';
  /** They contain credentials, so they are sent over IPC only, never in arguments or the environment. */
  readonly settings: ZooKeeperSettings;
  /** True: an earlier process reported endpoints. */
  readonly known: boolean;
  /** The node below which edges keep what they share; undefined: this edge is in no fleet. */
  readonly fleetRoot?: string | undefined;
}

/** Sent by the parent. */
export type ParentMessage =
  | StartMessage
  | { readonly kind: 'fleet'; readonly request: SessionRequest }
  /** The process must close its session and end. */
  | { readonly kind: 'stop' };

export type Change =
  | { readonly kind: 'put'; readonly endpoint: Endpoint; readonly seenAt: number | undefined }
  | { readonly kind: 'drop'; readonly id: EndpointId; readonly seenAt: number | undefined };

export type ChildMessage =
  /** Part of a complete picture, which counts when its `last` part arrives. */
  | { readonly kind: 'replace'; readonly first: boolean; readonly last: boolean; readonly endpoints: Endpoint[] }
  | {
      readonly kind: 'batch';
      readonly changes: Change[];
      readonly notes: RegistryNote[];
      readonly status: 'live' | 'stale' | undefined;
    }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly fields: object; readonly message: string }
  | { readonly kind: 'fleet'; readonly reply: SessionReply }
  /** An error that only the operator can mend. */
  | { readonly kind: 'fatal'; readonly message: string }
  /** The event loop of the child runs. */
  | { readonly kind: 'heartbeat' };

/** Between two heartbeats. */
export const heartbeatIntervalMs = 1_000;
