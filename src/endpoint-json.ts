// Pure: an endpoint as the API shows it, with the field names of a znode's ChannelInfo.

import type { Endpoint } from './model.js';
import { traitsIn } from './traits.js';

/**
 * The endpoint as a JSON object; unknown values are left out. Load and packet loss are fractions, the bitrate is in
 * kbit/s.
 */
export function endpointJson(endpoint: Endpoint) {
  return {
    id: endpoint.id,
    service_address: endpoint.address,
    load: endpoint.load,
    bitrate: endpoint.bitrate,
    packet_loss_rate: endpoint.packetLoss,
    version: endpoint.version,
    draining: endpoint.draining ?? false,
    ...traitsIn(endpoint),
    last_resort: endpoint.lastResort ?? false,
  };
}
