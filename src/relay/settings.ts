// The settings of relays, with units in the names.

import type { Config } from '../config-schema.js';
import type { RoomSettings } from './rooms.js';
import type { SourceSettings } from './source/source.js';

/** Of one stream. */
export interface RelaySettings extends SourceSettings {
  /** Tags that arrive within it leave in one batch; 0 sends at once. */
  readonly mergeWindowMs: number;
  /** How long it runs without a viewer. */
  readonly lingerMs: number;
  /** Bytes that a viewer's socket may hold. */
  readonly maxViewerBytes: number;
  /** Media that a viewer's socket may hold, beside one group of pictures. */
  readonly maxViewerMediaMs: number;
  /** Time in which a viewer must empty its socket. */
  readonly slowTimeoutMs: number;
  readonly maxViewers: number;
}

/** Of all streams of a process. */
export interface RelaysSettings extends RelaySettings, RoomSettings {
  /** Bytes that the sockets of all viewers may hold together. */
  readonly maxHeldBytes: number;
}

/** @param config what it means and its defaults: docs/configuration.md */
export function relaysSettings({ relay, upstream }: Pick<Config, 'relay' | 'upstream'>): RelaysSettings {
  return {
    maxRelays: relay.maxRelays,
    maxChannelRelays: relay.maxChannelRelays,
    maxViewers: relay.maxViewers,
    mergeWindowMs: relay.mergeWindow,
    stallTimeoutMs: relay.stallTimeout,
    keyframeTimeoutMs: relay.keyframeTimeout,
    graceMs: relay.grace,
    lingerMs: relay.linger,
    slowTimeoutMs: relay.slowTimeout,
    firstByteTimeoutMs: upstream.firstByteTimeout,
    maxTagBytes: relay.maxTagSize,
    maxGroupBytes: relay.gopCache.size,
    maxViewerBytes: relay.viewerBuffer.size,
    maxViewerMediaMs: relay.viewerBuffer.duration,
    maxHeldBytes: relay.viewerBuffer.total,
  };
}
