// How long a playlist is used without asking the endpoint again. Pure.

import type { IncomingHttpHeaders } from 'node:http';
import type { Config } from '../../config-schema.js';
import { cachePolicy } from '../../upstream/cache-policy.js';
import type { MediaWindow } from '../presentation/live-window.js';

type LifetimeSettings = Pick<
  Config['hls'],
  'masterMaxAge' | 'playlistMaxAge' | 'playlistMinAge' | 'playlistShare' | 'respectCacheControl'
>;

/**
 * @param window what players see of it; undefined for a multivariant playlist
 * @param headers the endpoint's, which may ask for less
 * @param clockMs epoch ms
 * @returns ms
 */
export function lifetimeMs(
  window: MediaWindow | undefined,
  headers: IncomingHttpHeaders,
  settings: LifetimeSettings,
  clockMs: number,
): number {
  const isLive = window?.ended === false;
  const maxMs = isLive
    ? Math.min(settings.playlistMaxAge, settings.playlistShare * changeIntervalMs(window))
    : settings.masterMaxAge;
  if (!settings.respectCacheControl) return maxMs;
  const policy = cachePolicy(headers, clockMs, 0);
  return Math.min(maxMs, Math.max(policy.storable ? policy.freshForMs : 0, settings.playlistMinAge));
}

/** ms in which a live playlist usually changes. */
function changeIntervalMs({ delivery, targetDurationSeconds }: MediaWindow): number {
  return 1000 * (delivery.partTargetSeconds ?? targetDurationSeconds);
}
