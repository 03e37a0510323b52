// The identity of a data plane: its edge, and its own place in it.

import { randomBytes } from 'node:crypto';
import type { Config } from '../config-schema.js';
import { machineSecret } from '../hls/index.js';
import type { Logger } from '../log.js';
import type { OwnPlace } from '../sharding/sharding.js';

/** What all processes of an edge have in common. */
export interface EdgeIdentity {
  /** In `Via`: a name of its own, so that a request that comes back is known. */
  readonly edge: string;
  /** What they sign with where the settings have no secret: each knows what another one signed. */
  readonly machineSecret: string;
}

export interface Identity extends EdgeIdentity {
  readonly self: OwnPlace;
}

/** This data plane as one of several workers. */
export interface WorkerIdentity extends EdgeIdentity {
  readonly self: Exclude<OwnPlace, 'alone'>;
}

/** Made once for each start of an edge. */
export function createEdgeIdentity(settings: Config['hls'], logger: Logger): EdgeIdentity {
  return { edge: randomBytes(6).toString('hex'), machineSecret: machineSecret(settings, logger) };
}

/** The one process that serves players. */
export function aloneIdentity(settings: Config['hls'], logger: Logger): Identity {
  return { ...createEdgeIdentity(settings, logger), self: 'alone' };
}
