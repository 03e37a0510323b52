// Pure: what the API shows of a snapshot.

import { endpointJson } from '../endpoint-json.js';
import type { Channel, Snapshot } from '../model.js';

function byName({ channels }: Snapshot): Channel[] {
  return [...channels.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The snapshot as `/api/v1/snapshot` shows it. */
export function renderSnapshot(snapshot: Snapshot) {
  return {
    revision: snapshot.revision,
    state: snapshot.state,
    channels: byName(snapshot).map((channel) => ({
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
    channels: byName(snapshot).map((channel) => {
      let lowest: number | undefined;
      for (const { load } of channel.endpoints) if (load !== undefined && load < (lowest ?? 2)) lowest = load;
      return { channel: channel.name, endpoints: channel.endpoints.length, lowest_load: lowest };
    }),
  };
}
