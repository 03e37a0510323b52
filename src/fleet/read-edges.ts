// Reads all that edges say of themselves, for whoever asks: a command, or the admin API.

import { type EdgeFolder, edgePath, edgesIn, folderPath, sitePath, sitesIn } from './edge-paths.js';
import { decodeEdge, type EdgeNode, type EdgeRecord } from './edge-record.js';
import type { FleetSession } from './session.js';

/** Reads under way at once. */
const depth = 64;
/** Edges read at most. */
const maxEdges = 10_000;

/** An edge as it stands in ZooKeeper. */
export interface KnownEdge extends EdgeNode {
  readonly site: string;
  /** `draining`: out of service by an order. */
  readonly status: 'serving' | 'draining';
  /** Undefined: what it says cannot be read. */
  readonly record: EdgeRecord | undefined;
}

/**
 * All edges, by site and name. An edge that goes meanwhile is left out.
 *
 * @throws FleetError
 */
export async function readEdges(session: FleetSession, root: string): Promise<KnownEdge[]> {
  const found = [...(await listFolder(session, root, 'edges')), ...(await listFolder(session, root, 'drained'))];
  const edges: KnownEdge[] = [];
  let next = 0;
  const readSome = async () => {
    for (let each = found[next++]; each !== undefined; each = found[next++]) {
      const node = await session.get(edgePath(root, each.folder, each.site, each.node));
      if (node === undefined) continue;
      const status = each.folder === 'edges' ? 'serving' : 'draining';
      edges.push({ ...each.node, site: each.site, status, record: decodeEdge(node.data) });
    }
  };
  await Promise.all(Array.from({ length: depth }, readSome));
  const keyOf = ({ site, name, run }: KnownEdge) => `${site}/${name}~${run}`;
  return edges.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

async function listFolder(session: FleetSession, root: string, folder: EdgeFolder) {
  const found: { readonly folder: EdgeFolder; readonly site: string; readonly node: EdgeNode }[] = [];
  for (const site of sitesIn((await session.children(folderPath(root, folder))) ?? [])) {
    const children = (await session.children(sitePath(root, folder, site))) ?? [];
    for (const node of edgesIn(children)) if (found.length < maxEdges) found.push({ folder, site, node });
  }
  return found;
}

/** An edge as the API and `weir fleet --json` show it; null: unknown. */
export function edgeJson({ site, name, run, status, record }: KnownEdge) {
  return {
    site,
    name,
    run,
    status,
    version: record?.version ?? null,
    started: record?.started ?? null,
    workers: record?.workers ?? null,
    viewers: record?.viewers ?? null,
    kbps: record?.kbps ?? null,
    players: record?.players ?? null,
    peers: record?.peers ?? null,
    config_revision: record?.config?.revision ?? null,
    config_error: record?.config?.error ?? null,
  };
}

export type EdgeJson = ReturnType<typeof edgeJson>;
