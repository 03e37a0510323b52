// The relays of a data plane, with the settings that they share with other parts.

import type { EdgeContext } from '../http/exchange.js';
import { version } from '../package.js';
import { Relays, type RelaysTools } from '../relay/relays.js';
import type { DataPlaneConfig } from './contract.js';

export function createRelays(
  { relay, upstream }: DataPlaneConfig,
  { metrics, logger, via }: EdgeContext,
  tools: Pick<RelaysTools, 'store' | 'registered' | 'balancer' | 'client'>,
): Relays {
  const settings = {
    ...relay,
    gopLimits: { maxBytes: relay.gopCache.size },
    firstByteTimeout: upstream.firstByteTimeout,
  };
  const headers = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': `weir/${version}`, via };
  return new Relays(settings, metrics, { ...tools, headers, logger, now: () => performance.now() });
}
