// The kinds of media servers that have an API.

import type { ServerKind } from './server.js';
import { lal } from './servers/lal.js';
import { mediamtx } from './servers/mediamtx.js';
import { nginxRtmp } from './servers/nginx-rtmp.js';
import { nodeMediaServer } from './servers/node-media-server.js';
import { srs } from './servers/srs.js';
import { zlmediakit } from './servers/zlmediakit.js';

export const kinds = {
  srs,
  'nginx-rtmp': nginxRtmp,
  'node-media-server': nodeMediaServer,
  mediamtx,
  zlmediakit,
  lal,
} as const satisfies Record<string, ServerKind>;

export type KindName = keyof typeof kinds;

export const kindNames = Object.keys(kinds) as readonly KindName[];
