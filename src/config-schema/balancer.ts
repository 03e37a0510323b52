// The section `balancer`: which endpoint a request goes to.

import { z } from 'zod';
import { duration, fraction, integer } from './kinds.js';

const outlier = z.strictObject({
  consecutiveFailures: integer(5, 1, 1000, 'Gateway failures in a row that eject an address.'),
  baseEjection: duration('30s', '10ms', '24h', 'Length of the first ejection; the n-th lasts n times as long.'),
  maxEjection: duration('300s', '10ms', '24h', 'The longest ejection.'),
  panicThreshold: fraction(0.5, 'With more than this share of a channel ejected, passive health is ignored.'),
});

/** The schema of the section `balancer`. */
export const balancer = z.strictObject({
  policy: z
    .enum(['adaptive', 'lowest', 'p2c', 'round-robin', 'random', 'rendezvous'])
    .prefault('adaptive')
    .describe('The rule of a pick.'),
  lossWeight: z.number().min(0).max(1000).prefault(10).describe('How much load one unit of packet loss is worth.'),
  tieBand: fraction(0.02, 'Scores this close to the lowest count as equal.'),
  edges: z
    .union([z.literal('auto'), z.int().min(1).max(100_000)], {
      error: "expected 'auto' or an integer from 1 to 100000",
    })
    .prefault('auto')
    .describe(
      'Edges that pick from the same registry: how cautious `adaptive` is before it has learned. auto: as many as are in service in all sites of the fleet, 1 without a fleet. Workers are counted by themselves.',
    ),
  affinityMargin: z
    .number()
    .min(0)
    .max(1000)
    .prefault(0.1)
    .describe(
      "A channel's HLS stays on its endpoint while its score is within this of the best; 0 picks anew. Past the margin, only some sessions move after each report.",
    ),
  zone: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .meta({
      description: 'The zone of this edge: endpoints registered with the same `zone` are preferred.',
      examples: ['eu-west-1a'],
    }),
  zoneSpill: fraction(
    0.8,
    "Load (and 10 × loss, see lossWeight) of the own zone's best endpoint above which picks spill over to other zones: a part that grows to all at a load of 1.",
  ),
  outlier: outlier.prefault({}).describe('Passive health: endpoints that fail are left out for a while.'),
});
