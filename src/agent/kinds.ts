// The kinds of media servers that have an API.

import type { ServerKind } from './server.js';
import { nodeMediaServer } from './servers/node-media-server.js';
import { srs } from './servers/srs.js';

export const kinds = {
  srs,
  'node-media-server': nodeMediaServer,
} as const satisfies Record<string, ServerKind>;

export type KindName = keyof typeof kinds;

export const kindNames = Object.keys(kinds) as readonly KindName[];
