// An edge's part in its fleet, put together from its settings and what its processes do.

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '../config-schema.js';
import type { DataPlane, FleetOrders } from '../data-plane/contract.js';
import { realClock } from '../fleet/clock.js';
import { whyNoFleet } from '../fleet/enabled.js';
import { Fleet } from '../fleet/fleet.js';
import { defaultName, reachableUrl } from '../fleet/own-address.js';
import type { FleetSession } from '../fleet/session.js';
import type { Vitals } from '../fleet/traffic.js';
import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import { parseListenAddress } from '../net-address.js';
import { version } from '../package.js';
import { ByteRate, sentBytes } from './byte-rate.js';

export interface FleetMemberOptions {
  readonly config: Config;
  /** Not used where there is no fleet. */
  readonly session: FleetSession;
  /** Of the players' listener. */
  readonly port: number;
  readonly vitals: () => Vitals;
  /** `shutdown.grace` as it is in effect, in ms. */
  readonly graceMs: () => number;
  readonly obey: (orders: FleetOrders) => void;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Joins the fleet; undefined where there is none. */
export function joinFleet(options: FleetMemberOptions): Fleet | undefined {
  const { config, session, port, obey, ...rest } = options;
  const { name: given, site, root, hub, peers: byHand } = config.fleet;
  if (whyNoFleet(config) !== undefined) return undefined;
  const name = given ?? defaultName(hostname(), port);
  let orders: FleetOrders = { edges: 1, leaveWithinMs: undefined };
  const order = (change: Partial<FleetOrders>) => {
    orders = { ...orders, ...change };
    obey(orders);
  };
  const started = new Date().toISOString();
  return new Fleet({
    ...rest,
    session,
    root,
    site,
    node: { name, run: randomBytes(4).toString('hex') },
    facts: { version, started, players: reachableUrl(config.listen, port, hostname()), peers: peersUrl(config.fleet) },
    obey: (edges, leaveWithinMs) => order({ edges, leaveWithinMs }),
    peers: hub && byHand.length === 0 ? (edges) => order({ site: { self: name, edges } }) : undefined,
    clock: realClock,
  });
}

/** Where other edges of the site come in. */
function peersUrl({ hub, peerListen }: Config['fleet']): string | undefined {
  const port = parseListenAddress(peerListen)?.port;
  return hub && port !== undefined && port > 0 ? reachableUrl(peerListen, port, hostname()) : undefined;
}

/** What `/api/v1/fleet` shows. */
export async function fleetView(config: Config, fleet: Fleet | undefined): Promise<object> {
  return fleet === undefined ? { enabled: false, reason: whyNoFleet(config), edges: [] } : await fleet.view();
}

/** What an edge in one process does. */
export function vitalsOf({ intake }: Pick<DataPlane, 'intake'>, metrics: Metrics): () => Vitals {
  const rate = new ByteRate(
    () => sentBytes(metrics),
    () => performance.now(),
  );
  return () => ({ workers: 0, viewers: intake.state.open, bytesPerSecond: rate.read() });
}
