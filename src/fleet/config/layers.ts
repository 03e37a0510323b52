// Pure: where the fleet's configuration stands below `fleet.root`.
//
//   ROOT/config                     for all edges
//   ROOT/config/sites/SITE          for the edges of a site
//   ROOT/config/edges/SITE/NAME     for one edge
//   LAYER/history/VERSION           an earlier document of that layer
//   ROOT/config/candidate           ephemeral: a document that some edges try before all get it
//
// Sites and edges have folders of their own, so that one may be called as another, or `history`. An edge is named with its site,
// as it registers: two sites may each have an `edge-1`.

/** Whom a document is for. */
export type Target =
  | { readonly kind: 'all' }
  | { readonly kind: 'site'; readonly site: string }
  | { readonly kind: 'edge'; readonly site: string; readonly edge: string };

/** The node of a layer. */
export function layerPath(root: string, target: Target): string {
  if (target.kind === 'all') return `${root}/config`;
  if (target.kind === 'site') return `${root}/config/sites/${target.site}`;
  return `${root}/config/edges/${target.site}/${target.edge}`;
}

/** The layers from the weakest on that hold for the target itself. */
export function layersOf(root: string, target: Target): string[] {
  const all: Target[] = [{ kind: 'all' }];
  if (target.kind !== 'all') all.push({ kind: 'site', site: target.site });
  if (target.kind === 'edge') all.push(target);
  return all.map((each) => layerPath(root, each));
}

export const historyPath = (layer: string) => `${layer}/history`;

/** Names that sort as their versions do. */
export const versionPath = (layer: string, version: number) =>
  `${historyPath(layer)}/${String(version).padStart(10, '0')}`;

/** Where who rolls out waits for the others. */
export const lockPath = (root: string) => `${root}/locks/config`;

export const candidatePath = (root: string) => `${root}/config/candidate`;

/** Whether the name can be that of a site or an edge. */
export const isName = (text: string) => /^(?!\.{1,2}$)[A-Za-z0-9._:-]{1,255}$/.test(text);
