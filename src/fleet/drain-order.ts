// Pure: the order that an edge is out of service, as the data of a persistent node. It outlives the edge's process: one that starts
// again stays out of service.

import { z } from 'zod';

/** An edge takes no new players, and sends those it has elsewhere, until the order is taken back. */
export interface DrainOrder {
  /** When it was given, as ISO 8601. */
  readonly at: string;
  /** How long viewers of FLV may stay, in ms; undefined: the edge's `shutdown.grace`. */
  readonly graceMs?: number | undefined;
}

/** The longest time for viewers of FLV, in ms. */
export const maxGraceMs = 86_400_000;

const schema = z.object({ at: z.iso.datetime(), graceMs: z.int().min(0).max(maxGraceMs).optional() });

/** The data of the order's node. */
export function encodeDrainOrder(order: DrainOrder): string {
  return JSON.stringify(order);
}

/** What the order says. The node itself is the order: one that says nothing of use is an order without a time of its own. */
export function decodeDrainOrder(data: string): DrainOrder {
  try {
    const read = schema.safeParse(JSON.parse(data)).data;
    if (read !== undefined) return read;
  } catch {
    // Made by hand, perhaps.
  }
  return { at: new Date(0).toISOString() };
}
