// Pure: the candidate, a document that some edges run with before it is everybody's. Its node is ephemeral: when who rolls it out is
// gone, it is too, and the edges that tried it go back by themselves.

import { z } from 'zod';
import { maxCentreBytes } from '../../config/centre.js';

export interface Candidate {
  /** The node whose document it would replace. */
  readonly layer: string;
  readonly body: string;
  /** Who tries it, as SITE/NAME; `all`: whoever has that layer. */
  readonly edges: 'all' | readonly string[];
}

/** Edges that are named. */
export const maxNamed = 64;

const schema = z.object({
  layer: z.string().max(1_000),
  body: z.string().max(maxCentreBytes),
  edges: z.union([z.literal('all'), z.array(z.string().max(511)).max(maxNamed)]),
});

export const encodeCandidate = (candidate: Candidate) => JSON.stringify(candidate);

/** Undefined: none that can be used. */
export function decodeCandidate(data: string): Candidate | undefined {
  try {
    return schema.safeParse(JSON.parse(data)).data;
  } catch {
    return undefined;
  }
}

/** The bodies of the layers of an edge, with the candidate in its place where the edge is to try it. */
export function withCandidate(
  bodies: ReadonlyMap<string, string | undefined>,
  candidate: Candidate | undefined,
  edge: string,
): ReadonlyMap<string, string | undefined> {
  if (candidate === undefined || !bodies.has(candidate.layer)) return bodies;
  if (candidate.edges !== 'all' && !candidate.edges.includes(edge)) return bodies;
  return new Map(bodies).set(candidate.layer, candidate.body);
}
