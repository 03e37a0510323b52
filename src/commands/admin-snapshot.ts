// What a running edge knows, asked of its admin API: the one way into an embedded registry from outside.

import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ChannelName, Endpoint, EndpointId, ServiceAddress } from '../model.js';
import { checkedTraits } from '../registry/formats/traits.js';
import type { Registry } from '../registry/registry.js';

const snapshot = z.object({
  state: z.enum(['pending', 'live', 'stale']),
  channels: z.array(
    z.object({
      channel: z.string(),
      endpoints: z.array(
        // Its traits are whatever holds of them: the edge may be an older one, or a newer one.
        z.looseObject({
          id: z.string(),
          service_address: z.string(),
          load: z.number().optional(),
          bitrate: z.number().optional(),
          packet_loss_rate: z.number().optional(),
          version: z.number(),
        }),
      ),
    }),
  ),
});

interface AdminSnapshot {
  readonly state: 'pending' | 'live' | 'stale';
  readonly endpoints: readonly Endpoint[];
}

/**
 * Asks the edge whose admin listener is at `url`.
 *
 * @throws Error in words for whoever typed the URL: nobody there, not an edge, no answer within `deadlineMs`
 */
async function readAdminSnapshot(url: string, deadlineMs: number, signal: AbortSignal): Promise<AdminSnapshot> {
  const options = { signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]) };
  let body: unknown;
  try {
    const response = await fetch(`${url}/api/v1/snapshot`, options);
    if (!response.ok) throw new Error(`status ${response.status}`);
    body = await response.json();
  } catch (error) {
    signal.throwIfAborted();
    const { cause, message } = error as Error;
    const reason = cause instanceof Error ? cause.message : message;
    throw new Error(`no answer from the edge at ${url}: ${reason}; does it run, and is that its admin listener?`);
  }
  const parsed = snapshot.safeParse(body);
  if (!parsed.success) throw new Error(`what answers at ${url} is not the admin listener of an edge`);
  const endpoints = parsed.data.channels.flatMap(({ channel, endpoints: all }) =>
    all.map((endpoint) => ({
      ...checkedTraits(endpoint),
      id: endpoint.id as EndpointId,
      channel: channel as ChannelName,
      address: endpoint.service_address as ServiceAddress,
      load: endpoint.load,
      bitrate: endpoint.bitrate,
      packetLoss: endpoint.packet_loss_rate,
      version: endpoint.version,
    })),
  );
  return { state: parsed.data.state, endpoints };
}

const pollIntervalMs = 1_000;

/** Follows an edge as a registry is followed; the edge going away is `stale`. Asks once a second. */
export function createAdminRegistry(url: string): Registry {
  return {
    async run(sink, signal) {
      let state: 'live' | 'stale' | undefined;
      while (!signal.aborted) {
        const seen = await readAdminSnapshot(url, 10 * pollIntervalMs, signal).catch((error: unknown) => {
          // Nobody there to begin with: probably a wrong URL.
          if (state === undefined && !signal.aborted) throw error;
          return undefined;
        });
        if (signal.aborted) return;
        if (seen !== undefined) sink.replace(seen.endpoints);
        const next = seen?.state === 'live' ? 'live' : 'stale';
        if (next !== state) sink.status(next);
        state = next;
        await sleep(pollIntervalMs, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}
