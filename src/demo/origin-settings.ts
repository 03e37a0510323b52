// The settings of a simulated origin's process, and its messages to its parent.

import { z } from 'zod';
import type { ConfigInput } from '../config-schema.js';

/** Given to the process as JSON, its only argument. */
export const originSettings = z.strictObject({
  /** What it is called in lines and in the `X-Origin` header. */
  name: z.string().regex(/^[\w-]+$/, 'expected letters, digits, _ and -'),
  channels: z.array(z.string().regex(/^[\w-]+$/, 'expected letters, digits, _ and -')).min(1),
  host: z.string(),
  port: z.int().min(0).max(65535),
  /** Epoch milliseconds at which its stream began: it goes on after a restart. */
  epoch: z.number(),
  mediaSequenceBase: z.int().nonnegative(),
  flvTimestamps: z.enum(['stream', 'connection']),
  /** Of the walk that its reported load and loss take. */
  seed: z.int(),
  /** Where it registers its channels: weir's own settings. */
  registry: z.custom<NonNullable<ConfigInput['registry']>>((value) => typeof value === 'object' && value !== null),
});

export type OriginSettings = z.input<typeof originSettings>;

export type OriginMessage =
  | { readonly kind: 'listening'; readonly address: string }
  /** All its channels stand in the registry. */
  | { readonly kind: 'registered' }
  /** It ends, and this is why. */
  | { readonly kind: 'failed'; readonly reason: string };
