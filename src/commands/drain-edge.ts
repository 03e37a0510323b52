// `weir drain --edge` and `weir undrain --edge`: take an edge out of service and back, by an order in ZooKeeper that it obeys.

import type { Config } from '../config-schema.js';
import { OperatorError } from '../errors.js';
import { encodeDrainOrder } from '../fleet/drain-order.js';
import { drainPath } from '../fleet/edge-paths.js';
import { isSiteName } from '../fleet/edge-record.js';
import { readEdges } from '../fleet/read-edges.js';
import { FleetError, type FleetSession } from '../fleet/session.js';
import { withFleet } from './fleet-session.js';

export interface DrainEdgeFlags {
  readonly edge?: string;
  readonly site?: string;
  readonly grace?: number;
}

/** What came of it. */
export interface DrainEdgeResult {
  readonly site: string;
  readonly edge: string;
  readonly path: string;
  readonly status: 'draining' | 'live';
  readonly result: 'written' | 'unchanged';
  /** Whether it is running: else it is out of service when it starts. */
  readonly running: boolean;
}

/**
 * Gives the order, or takes it back.
 *
 * @param flags `edge`: its name. `site`: where it is; needed for one that does not run, and where several have the name.
 *   `grace`: seconds for viewers of FLV
 * @throws OperatorError in words
 */
export async function drainEdge(
  config: Config,
  { edge = '', site: given, grace }: DrainEdgeFlags,
  status: 'draining' | 'live',
  deadlineMs: number,
): Promise<DrainEdgeResult> {
  if (!isSiteName(edge)) throw new OperatorError(`${edge}: not the name of an edge; weir fleet lists them`);
  return await withFleet(config, deadlineMs, async (session) => {
    const { root } = config.fleet;
    const running = (await readEdges(session, root)).filter(({ name }) => name === edge).map(({ site }) => site);
    const ordered = status === 'live' ? await sitesWithOrder(session, root, edge) : [];
    const site = given ?? onlySite(edge, [...new Set([...running, ...ordered])]);
    const path = drainPath(root, site, edge);
    const order = encodeDrainOrder({
      at: new Date().toISOString(),
      graceMs: grace === undefined ? undefined : Math.round(grace * 1_000),
    });
    const result = status === 'draining' ? await put(session, path, order) : await takeBack(session, path);
    return { site, edge, path, status, result, running: running.includes(site) };
  });
}

function onlySite(edge: string, sites: readonly string[]): string {
  const [site, ...others] = sites;
  if (site === undefined) {
    throw new OperatorError(`${edge}: no such edge is running; with --site the order waits for its start`);
  }
  if (others.length > 0) throw new OperatorError(`${edge}: several sites have it, say --site: ${sites.join(', ')}`);
  return site;
}

async function sitesWithOrder(session: FleetSession, root: string, edge: string): Promise<string[]> {
  const found: string[] = [];
  for (const site of ((await session.children(`${root}/drains`)) ?? []).filter(isSiteName)) {
    if ((await session.get(drainPath(root, site, edge))) !== undefined) found.push(site);
  }
  return found;
}

/** A second order takes the place of the first: it may give more time. */
async function put(session: FleetSession, path: string, order: string): Promise<'written'> {
  try {
    await session.create(path, order, 'persistent');
  } catch (error) {
    if (!(error instanceof FleetError) || error.kind !== 'exists') throw error;
    const node = await session.get(path);
    if (node === undefined) return await put(session, path, order);
    await session.set(path, order, node.version);
  }
  return 'written';
}

async function takeBack(session: FleetSession, path: string): Promise<'written' | 'unchanged'> {
  if ((await session.get(path)) === undefined) return 'unchanged';
  await session.remove(path);
  return 'written';
}
