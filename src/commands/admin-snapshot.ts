// Reads the endpoints of a running edge from its admin API: the only way into an embedded registry from outside.

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
        // Only valid traits are taken: the edge may be older or newer.
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
 * @throws Error for the user: nobody listens there, it is not an edge, no answer within `deadlineMs`
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

/** Follows an edge like a registry: polls once a second. While the edge does not answer, the status is `stale`. */
export function createAdminRegistry(url: string): Registry {
  return {
    async run(sink, signal) {
      let state: 'live' | 'stale' | undefined;
      while (!signal.aborted) {
        const seen = await readAdminSnapshot(url, 10 * pollIntervalMs, signal).catch((error: unknown) => {
          // Nobody listens there from the beginning: probably a wrong URL.
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
