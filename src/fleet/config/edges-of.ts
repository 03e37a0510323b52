// The edges that a document is for, as they are registered.

import { edgePath, edgesIn, folderPath, sitePath, sitesIn } from '../edge-paths.js';
import { decodeEdge, type EdgeRecord } from '../edge-record.js';
import type { FleetSession } from '../session.js';
import type { Target } from './layers.js';

/** An edge that is in service. */
export interface RegisteredEdge {
  readonly site: string;
  readonly name: string;
  /** Its node. */
  readonly path: string;
}

/** In order of site and name. */
export async function edgesOf(session: FleetSession, root: string, target: Target): Promise<RegisteredEdge[]> {
  const sites =
    target.kind === 'all' ? sitesIn((await session.children(folderPath(root, 'edges'))) ?? []) : [target.site];
  const lists = await Promise.all(
    sites.map(async (site) => {
      const nodes = edgesIn((await session.children(sitePath(root, 'edges', site))) ?? []);
      return nodes.map((node) => ({ site, name: node.name, path: edgePath(root, 'edges', site, node) }));
    }),
  );
  return lists.flat().filter(({ name }) => target.kind !== 'edge' || name === target.edge);
}

/** What an edge says; undefined: it is gone, or says nothing that can be used. */
export async function recordOf(session: FleetSession, { path }: RegisteredEdge): Promise<EdgeRecord | undefined> {
  const node = await session.get(path);
  return node && decodeEdge(node.data);
}
