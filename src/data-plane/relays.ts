// The relays of a data plane, with the settings that they share with other parts.

import type { EdgeContext } from '../http/exchange.js';
import { version } from '../package.js';
import { Relays, type RelaysTools, relaysSettings } from '../relay/index.js';
import type { DataPlaneConfig } from './contract.js';

/** The relays, with the metrics and limits of this process. */
export function createRelays(
  config: DataPlaneConfig,
  { metrics, logger, via }: EdgeContext,
  tools: Pick<RelaysTools, 'store' | 'registered' | 'balancer' | 'client'>,
): Relays {
  const headers = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': `weir/${version}`, via };
  return new Relays(relaysSettings(config), metrics, { ...tools, headers, logger, now: () => performance.now() });
}
