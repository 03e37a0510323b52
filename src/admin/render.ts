// Pure: what the API shows of a snapshot.

import { endpointJson } from '../endpoint-json.js';
import type { Snapshot } from '../model.js';

export function renderSnapshot(snapshot: Snapshot) {
  return {
    revision: snapshot.revision,
    state: snapshot.state,
    channels: [...snapshot.channels.values()].map((channel) => ({
      channel: channel.name,
      endpoints: channel.endpoints.map(endpointJson),
    })),
  };
}

/** The channels with what is known of the best endpoint of each at a glance. */
export function renderChannels(snapshot: Snapshot) {
  return {
    revision: snapshot.revision,
    state: snapshot.state,
    channels: [...snapshot.channels.values()].map((channel) => {
      const loads = channel.endpoints.flatMap((endpoint) => endpoint.load ?? []);
      return {
        channel: channel.name,
        endpoints: channel.endpoints.length,
        lowest_load: loads.length > 0 ? Math.min(...loads) : undefined,
      };
    }),
  };
}
