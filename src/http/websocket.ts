// WebSocket-FLV that weir does not relay: the upgrade goes to the picked endpoint, and bytes pass both ways.

import type { Socket } from 'node:net';
import type { Balancer } from '../balancer/balancer.js';
import type { WeirError } from '../errors.js';
import type { Metrics } from '../metrics.js';
import { attempt } from '../upstream/attempts.js';
import { countRetries } from '../upstream/trail.js';
import { createUpgradeClient, type UpgradeSettings, type UpgradeTools } from '../upstream/upgrade.js';
import { errorBytes, headBytes } from './error-answer.js';
import type { PlayerExchange } from './exchange.js';
import { playerHeaders, upstreamHeaders } from './headers.js';
import { pickedPlaces } from './picked-place.js';
import type { Route } from './route.js';

export interface WebSocketTools extends UpgradeTools {
  readonly balancer: Balancer;
  readonly metrics: Metrics;
  readonly settings: UpgradeSettings & { readonly retries: number };
}

/** For a player to take the last bytes and to close its side, in ms. */
const closeTimeoutMs = 10_000;

/** A refused upgrade is answered with the error as a plain HTTP response, and the socket is closed. */
export function refuseUpgrade(socket: Socket, exchange: PlayerExchange, error: WeirError): void {
  exchange.failed(error);
  if (!socket.destroyed) {
    socket.end(errorBytes(error, exchange.hop.requestId));
    // Who keeps its side open would otherwise keep the connection.
    socket.destroySoon();
  }
  exchange.ended();
}

/** Takes over an upgraded connection. Never throws. */
export function passWebSocket(
  tools: WebSocketTools,
  exchange: PlayerExchange,
  route: Route,
  socket: Socket,
  head: Buffer,
): void {
  const { balancer, metrics, settings } = tools;
  const { protocol, hop } = exchange;
  if (head.length > 0) socket.unshift(head);
  const client = createUpgradeClient(tools, socket);
  const next = pickedPlaces({ balancer, client }, route, {
    method: 'GET',
    headers: upstreamHeaders(exchange.request.headers, hop),
    sticky: false,
    onPick: (pick) => {
      exchange.endpoint = pick.endpoint.address;
    },
  });
  const { retries } = settings;
  let answered = false;
  const running = attempt(
    { next, purpose: 'asked', retries, onRetry: countRetries(metrics) },
    {
      onResponse: (status, headers) => {
        answered = true;
        exchange.started(status);
        const { upgrade = 'websocket' } = headers;
        const last = status === 101 ? { connection: 'Upgrade', upgrade } : { connection: 'close' };
        socket.write(headBytes(status, { ...playerHeaders(headers, hop, undefined), ...last }));
      },
      onData: (chunk) => {
        metrics.traffic.received[protocol] += chunk.length;
        exchange.sent(chunk.length);
        return socket.write(chunk);
      },
      onEnd: () => {
        // A player who never closes its side would otherwise keep the connection.
        socket.setTimeout(closeTimeoutMs, () => socket.destroy());
        socket.end();
      },
      onError: (error) => {
        if (answered) {
          exchange.failed(error);
          socket.destroy();
        } else refuseUpgrade(socket, exchange, error);
      },
    },
  );
  socket.on('drain', () => running.resume());
  socket.on('close', () => {
    running.abort();
    exchange.ended();
  });
  // Nobody speaks before the answer: whose side is closed by then has left.
  socket.on('end', () => {
    if (!answered) socket.destroy();
  });
}
