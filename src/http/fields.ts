// Header fields as a flat list of names and values for `writeHead`: spreading objects would cost more than all the rest of an
// answer from memory.

import type { PlayerExchange } from './exchange.js';

export type Fields = (string | string[])[];

/** Where a worker has an answer from, in its answer to another worker. */
export const endpointField = 'x-weir-endpoint';

/** Tells the worker that owns a channel that another one asks for another edge. Believed on the workers' own sockets only. */
export const edgeField = 'x-weir-edge';

const anyOrigin = new WeakMap<readonly string[], Fields>();

/** CORS, request id, and the end of the connection where it is near. The list is the caller's to extend. */
export function commonFields(exchange: PlayerExchange): Fields {
  const fields = corsFields(exchange).slice();
  fields.push('x-request-id', exchange.hop.requestId, 'via', exchange.hop.via);
  // For the log of the worker that asks: players are not told.
  if (exchange.edge.audience === 'peers' && exchange.endpoint !== undefined)
    fields.push(endpointField, exchange.endpoint);
  if (exchange.edge.draining()) fields.push('connection', 'close');
  return fields;
}

/** The same for every player unless the setting names origins. */
function corsFields(exchange: PlayerExchange): Fields {
  const { cors } = exchange.edge.settings;
  if (!cors.includes('*')) return Object.entries(exchange.cors ?? {}).flat();
  const known = anyOrigin.get(cors);
  if (known !== undefined) return known;
  const fields = Object.entries(exchange.cors ?? {}).flat();
  anyOrigin.set(cors, fields);
  return fields;
}
