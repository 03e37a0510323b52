// The section `fleet`: how edges know each other, by way of ZooKeeper.

import { z } from 'zod';
import { reload } from './kinds.js';

/** One name in a path of ZooKeeper. */
const nodeName = z
  .string()
  .max(255)
  .regex(/^(?!\.{1,2}$)[A-Za-z0-9._:-]+$/, 'expected a name of letters, digits, `.`, `_`, `:` and `-`');

const section = z.strictObject({
  enabled: z
    .union([z.literal('auto'), z.boolean()], { error: "expected 'auto', true or false" })
    .prefault('auto')
    .describe('Whether edges know each other. auto: where registry.kind is zookeeper, which they meet in.'),
  name: nodeName.optional().meta({
    description:
      'The name of this edge, another one for each of a site; by default the name of the machine and the port of `listen`.',
    examples: ['edge-1.example.com:8080'],
  }),
  site: nodeName.prefault('default').describe('Edges of one site are near each other, as in one data centre.'),
  root: z
    .string()
    .max(255)
    .regex(/^(\/(?!\.{1,2}(\/|$))[^/\s\p{C}]+)+$/u, 'expected an absolute path without a slash at its end')
    .prefault('/weir')
    .describe('The node below which the edges keep what they share. All edges of a fleet have the same.'),
});

/** The schema of the section `fleet`. */
export const fleet = reload('restart', section.prefault({}).describe('How edges know each other.'));
