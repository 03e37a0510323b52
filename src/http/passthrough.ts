// A pick and an upstream request for each request of a player; bodies stream with backpressure and without a copy.

import type { ServerResponse } from 'node:http';
import type { Metrics } from '../metrics.js';
import { attempt } from '../upstream/attempts.js';
import { countRetries } from '../upstream/trail.js';
import { answerError, type PlayerExchange } from './exchange.js';
import { playerHeaders, upstreamHeaders } from './headers.js';
import { type PickTools, pickedPlaces, purposeOf } from './picked-place.js';
import type { Route } from './route.js';

/**
 * Bytes that may wait for a player before its endpoint is paused. Pausing at every full socket buffer, as `pipe` does, stops
 * and starts the reading at each chunk: 2 to 3 times the system calls for a segment.
 */
const maxUnsentBytes = 128 * 1024;

export interface PassthroughTools extends PickTools {
  readonly metrics: Metrics;
  readonly settings: { readonly retries: number };
}

/** Answers one GET or HEAD. Never throws; the exchange is told when the answer is over. */
export function passThrough(
  tools: PassthroughTools,
  exchange: PlayerExchange,
  route: Route,
  response: ServerResponse,
): void {
  const { metrics } = tools;
  const { protocol, hop } = exchange;
  const method = exchange.request.method === 'HEAD' ? 'HEAD' : 'GET';
  const next = pickedPlaces(tools, route, {
    method,
    headers: upstreamHeaders(exchange.request.headers, hop),
    sticky: route.kind !== 'flv',
    onPick: (pick) => {
      exchange.endpoint = pick.endpoint.address;
    },
  });
  const { retries } = tools.settings;
  let over = false;
  const running = attempt(
    { next, purpose: purposeOf(route), retries, onRetry: countRetries(metrics) },
    {
      onResponse: (status, headers) => {
        exchange.started(status);
        const out = playerHeaders(headers, hop, exchange.cors);
        if (exchange.edge.draining()) out['connection'] = 'close';
        response.writeHead(status, out);
      },
      onData: (chunk) => {
        metrics.traffic.received[protocol] += chunk.length;
        exchange.sent(chunk.length);
        response.write(chunk);
        return response.writableLength < maxUnsentBytes;
      },
      onEnd: () => {
        over = true;
        response.end();
      },
      onError: (error) => {
        over = true;
        answerError(exchange, response, error);
      },
    },
  );
  response.on('drain', () => running.resume());
  response.on('close', () => {
    if (!over) running.abort();
  });
}
