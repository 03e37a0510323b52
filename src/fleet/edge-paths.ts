// Pure: where edges stand below `fleet.root`.
//
//   ROOT/edges/SITE/NAME~RUN      ephemeral: an edge in service. Its siblings are all who share the work.
//   ROOT/drains/SITE/NAME         persistent: the order that this edge is out of service, until it is taken back.
//   ROOT/drained/SITE/NAME~RUN    ephemeral: an edge that obeys such an order.

import { type EdgeNode, isSiteName, nodeName, parseNodeName } from './edge-record.js';

/** The two folders in which edges register. */
export type EdgeFolder = 'edges' | 'drained';

/** Where the sites of edges stand. */
export const folderPath = (root: string, folder: EdgeFolder) => `${root}/${folder}`;

/** Where the edges of a site stand. */
export const sitePath = (root: string, folder: EdgeFolder, site: string) => `${root}/${folder}/${site}`;

/** The node of one run of an edge. */
export const edgePath = (root: string, folder: EdgeFolder, site: string, node: EdgeNode) =>
  `${root}/${folder}/${site}/${nodeName(node)}`;

/** The order that an edge is out of service. */
export const drainPath = (root: string, site: string, name: string) => `${root}/drains/${site}/${name}`;

/** Sites looked at, and edges of one: what else is there is passed over. */
const maxSites = 1_000;
const maxEdgesOfSite = 10_000;

/** The names of sites among the children of a folder, in order. */
export function sitesIn(children: readonly string[]): string[] {
  return children.filter(isSiteName).sort().slice(0, maxSites);
}

/** The edges among the children of a site, in order of their names. */
export function edgesIn(children: readonly string[]): EdgeNode[] {
  return [...children]
    .sort()
    .flatMap((child) => parseNodeName(child) ?? [])
    .slice(0, maxEdgesOfSite);
}
