// The keys that pins are made with: from the operator's secret, or from a secret of this machine.

import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../../config-schema.js';
import type { Logger } from '../../log.js';
import type { PinKeys } from './pin.js';

/**
 * The keys of an edge. Without a secret in the settings, endpoints are named by a plain hash, which every edge computes
 * alike, and places are signed with the machine's secret, which all processes of an edge have to share.
 */
export function pinKeys(secret: string | undefined, machine: string): PinKeys {
  if (secret !== undefined) return { naming: `name ${secret}`, signing: `path ${secret}` };
  return { naming: 'weir', signing: signingKey(machine) };
}

/** The key that is made of a secret of a machine, or of a fleet. */
export function signingKey(secret: string): Buffer {
  return createHmac('sha256', secret).update('weir hls pins').digest();
}

/**
 * A secret that only this machine knows: machine-id(5), which must not be exposed, so it is hashed above. A container has
 * none: then a random one is made, which holds only until the next start. Without `hls.pinSecret` a warning says so.
 */
export function machineSecret(
  { mode, pinSecret }: Pick<Config['hls'], 'mode' | 'pinSecret'>,
  logger: Pick<Logger, 'warn'>,
  file = '/etc/machine-id',
): string {
  const id = idIn(file);
  if (id !== undefined) return id;
  if (mode === 'session' && pinSecret === undefined) {
    logger.warn('no /etc/machine-id: URLs in HLS playlists are signed anew at each start; set hls.pinSecret');
  }
  return randomBytes(32).toString('hex');
}

function idIn(file: string): string | undefined {
  try {
    // An image that was never booted says `uninitialized`, which everybody knows.
    return /^[0-9a-f]{32}$/.exec(readFileSync(file, 'utf8').trim())?.[0];
  } catch {
    return undefined;
  }
}
