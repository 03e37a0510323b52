// A pick and an upstream request for each request of a player; bodies stream with backpressure and without a copy.

import type { ServerResponse } from 'node:http';
import { toWeirError } from '../errors.js';
import { Attempts, type AttemptTools } from './attempts.js';
import { answerError, type PlayerExchange } from './exchange.js';
import { playerHeaders, upstreamHeaders } from './headers.js';
import type { Route } from './route.js';

/**
 * Bytes that may wait for a player before its endpoint is held back. Holding back at every full socket buffer, as `pipe`
 * does, stops and starts the reading a chunk: 2 to 3 times the system calls for a segment.
 */
const maxUnsent = 128 * 1024;

export interface PassthroughTools extends AttemptTools {
  readonly retries: number;
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
  const request = {
    route,
    method,
    headers: upstreamHeaders(exchange.request.headers, hop),
    sticky: route.kind !== 'flv',
    retries: tools.retries,
  } as const;
  let over = false;
  const attempts = new Attempts(tools, request, {
    onPick: (pick) => {
      exchange.endpoint = pick.endpoint.address;
    },
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
      return response.writableLength < maxUnsent;
    },
    onEnd: () => {
      over = true;
      response.end();
    },
    onError: (error) => {
      over = true;
      answerError(exchange, response, error);
    },
  });
  response.on('drain', () => attempts.resume());
  response.on('close', () => {
    if (!over) attempts.abort();
  });
  try {
    attempts.start();
  } catch (error) {
    over = true;
    answerError(exchange, response, toWeirError(error));
  }
}
