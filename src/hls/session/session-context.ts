// What all HLS sessions of a data plane share.

import type { Balancer } from '../../balancer/balancer.js';
import type { Config } from '../../config-schema.js';
import type { Logger } from '../../log.js';
import type { Metrics } from '../../metrics.js';
import type { ServiceAddress } from '../../model.js';
import type { SnapshotStore } from '../../snapshot/store.js';
import type { UpstreamClient } from '../../upstream/client.js';
import type { OnRetry } from '../../upstream/trail.js';
import type { ObjectCache } from '../cache/object-cache.js';
import type { PinKeys } from '../url/pin.js';
import type { PlanDesk } from './channel-plan.js';

export interface SessionContext {
  readonly settings: Config['hls'];
  readonly retries: number;
  readonly onRetry: OnRetry;
  /** ms */
  readonly firstByteTimeoutMs: number;
  readonly balancer: Balancer;
  readonly store: SnapshotStore;
  readonly client: UpstreamClient;
  readonly cache: ObjectCache;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly keys: PinKeys;
  /** `endpointTag`, remembered. */
  readonly tagOf: (address: ServiceAddress) => string;
  /** Where the edges keep the plans of channels; undefined: this edge is by itself. */
  readonly plans?: PlanDesk | undefined;
  /** This edge in `Via`. */
  readonly via: string;
  /** Monotonic ms. */
  readonly now: () => number;
  /** Epoch ms. */
  readonly clock: () => number;
}

/** Why a session moved to another endpoint; the label of a metric. */
export type SwitchCause = 'gone' | 'draining' | 'score' | 'stall' | 'segment' | 'ended' | 'missing' | 'upstream';
