// What the configuration says of relays, with units in the names.

import type { Config } from '../config-schema.js';
import type { RoomSettings } from './rooms.js';
import type { SourceSettings } from './source/source.js';

/** Of one stream. */
export interface RelaySettings extends SourceSettings {
  /** What comes within it leaves in one batch; 0 sends at once. */
  readonly mergeWindowMs: number;
  /** For which it goes on after its last viewer. */
  readonly lingerMs: number;
  /** That a viewer's socket may hold. */
  readonly maxViewerBytes: number;
  /** The same as media, on top of one group of pictures. */
  readonly maxViewerMediaMs: number;
  /** That a viewer may take to empty its socket. */
  readonly slowTimeoutMs: number;
  readonly maxViewers: number;
}

/** Of all streams of a process. */
export interface RelaysSettings extends RelaySettings, RoomSettings {
  /** That the sockets of all viewers may hold together. */
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
