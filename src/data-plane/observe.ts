// The balancer of a data plane with its observers: metrics and log lines of its picks, and the ORCA reports in origins'
// answers.

import type { IncomingHttpHeaders } from 'node:http';
import { Balancer, type BalancerObserver } from '../balancer/balancer.js';
import { orcaHeader, parseOrca } from '../balancer/orca.js';
import { createPolicy } from '../balancer/policies.js';
import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import type { ServerOrigin } from '../model.js';
import { hostOf, isPeer, portOf } from '../net-address.js';
import type { SnapshotStore } from '../snapshot/store.js';
import { isRefused } from '../upstream/connector.js';
import type { Destinations, Refusal } from '../upstream/destinations.js';
import type { PlaneConfig } from './plane-config.js';

const remedies: Readonly<Record<Refusal, string>> = {
  outside: 'add its network to upstream.allow',
  special: 'metadata services and link-local addresses have to be in upstream.allow by themselves',
  own: 'weir itself listens there',
};

export interface Observers {
  readonly store: SnapshotStore;
  readonly destinations: Destinations;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The balancer with its metrics and log lines. */
export function createBalancer(config: PlaneConfig, observers: Observers): Balancer {
  const { store, destinations } = observers;
  return new Balancer({
    store,
    policy: createPolicy(config.balancer.policy),
    settings: config.balancer,
    observer: observePicks(config, observers),
    addressAllowed: (server) => isPeer(server) || !isRefused(server, destinations),
    now: () => performance.now(),
    random: Math.random,
  });
}

/** @param config read again for each pick: the policy may change */
function observePicks(config: PlaneConfig, { destinations, logger, metrics }: Observers): BalancerObserver {
  return {
    picked: (outcome) => metrics.picks.inc({ policy: config.balancer.policy, outcome }),
    ejected: (server, cause, forMilliseconds) => {
      metrics.ejections.inc({ cause });
      logger.warn({ server, cause, seconds: forMilliseconds / 1000 }, 'endpoint ejected');
    },
    refused: (server) => {
      const refusal = destinations.refusal(hostOf(server), portOf(server)) ?? 'outside';
      metrics.refusedAddresses.inc();
      logger.warn({ server, allow: config.upstream.allow }, `endpoint refused: ${remedies[refusal]}`);
    },
  };
}

/** An origin's report that comes with an answer counts like one of the registry. */
export function takeReport(balancer: Balancer, server: ServerOrigin, headers: IncomingHttpHeaders): void {
  const value = headers[orcaHeader];
  if (typeof value !== 'string') return;
  const report = parseOrca(value);
  if (report !== undefined) balancer.refresh(server, report);
}

/** Brings the gauges of the picks up to date. */
export function collectPicks(balancer: Balancer, metrics: Metrics): void {
  const { reportAgeMs, policy } = balancer.status();
  metrics.endpoints.set({ state: 'ejected' }, balancer.ejected());
  metrics.reportAge.set({ statistic: 'mean' }, reportAgeMs.mean / 1000);
  metrics.reportAge.set({ statistic: 'oldest' }, reportAgeMs.oldest / 1000);
  metrics.gain.set(policy.gain);
  metrics.busiestShare.reset();
  policy.busiest.forEach((share, i) => {
    metrics.busiestShare.set({ rank: String(i + 1) }, share);
  });
}
