// Parameters of players that do not count (`hls.keyedParameters`): taken out of a request before HLS sees it.

import type { Config } from '../config-schema.js';
import { splitQuery } from '../hls/index.js';
import type { RouteHandler } from './server.js';

/** The handler for requests with the parameters that count. The others go into the URIs of the player's playlists. */
export function keyed(setting: Config['hls']['keyedParameters'], handler: RouteHandler): RouteHandler {
  if (setting === 'all') return handler;
  const names: ReadonlySet<string> = new Set(setting);
  return {
    handle: (exchange, route, response) => {
      if (route.query === '') return handler.handle(exchange, route, response);
      const { query, carried } = splitQuery(route.query, names);
      if (carried !== '') exchange.carried = exchange.carried === '' ? carried : `${carried}&${exchange.carried}`;
      handler.handle(exchange, { ...route, query }, response);
    },
    holds: (channel) => handler.holds(channel),
  };
}
