// Viewers of a relayed stream over HTTP: the head of the answer is written here, the stream itself by the relay on the socket.

import type { ServerResponse } from 'node:http';
import { toWeirError } from '../errors.js';
import type { Framing, Relays, Subscription, ViewerHooks } from '../relay/index.js';
import { answerError, type PlayerExchange } from './exchange.js';
import { playerHeaders } from './headers.js';
import type { Route } from './route.js';

/** For what a viewer's socket still holds when the stream is over, in ms. */
const lastBytesTimeoutMs = 10_000;
function streamHeaders(exchange: PlayerExchange): Record<string, string | string[]> {
  const fields = { 'content-type': 'video/x-flv', 'cache-control': 'no-store' };
  return playerHeaders(fields, exchange.hop, exchange.cors);
}

/** HTTP/1.0 knows no chunks, and a connection that is closed anyway needs none. */
function framingOf({ request, edge }: PlayerExchange): Framing {
  if (edge.audience === 'peers') return 'peer';
  const closes = /(?:^|,)\s*close\s*(?:,|$)/i.test(request.headers.connection ?? '');
  return closes || request.httpVersion === '1.0' ? 'raw' : 'chunked';
}

/** Answers one GET whose response has its connection for itself. Never throws. */
export function relayHttp(relays: Relays, exchange: PlayerExchange, route: Route, response: ServerResponse): void {
  const { socket } = exchange.request;
  const framing = framingOf(exchange);
  const bytesBefore = socket.bytesWritten;
  let subscription: Subscription | undefined;
  const onClose = () => {
    subscription?.cancel();
    exchange.streamed(socket.bytesWritten - bytesBefore);
  };
  // Before the one that counts the request as ended.
  response.prependListener('close', onClose);
  const hooks: ViewerHooks = {
    onStart: (endpoint) => {
      exchange.endpoint = endpoint;
      exchange.started(200);
      const headers = streamHeaders(exchange);
      if (framing === 'raw' || exchange.edge.draining()) headers['connection'] = 'close';
      if (framing === 'raw') response.removeHeader('transfer-encoding');
      response.writeHead(200, headers);
      response.flushHeaders();
      // The relay watches slow viewers itself; the listener's timer would be moved with every write.
      socket.setTimeout(0);
    },
    onRefused: (error) => answerError(exchange, response, error),
    onEnd: () => {
      // Who does not read would otherwise keep the connection for as long as the kernel tries.
      socket.setTimeout(lastBytesTimeoutMs);
      // To a peer an end means that no origin delivers. It is this process that ends, and the peer knows others.
      if (framing === 'peer' && exchange.edge.draining()) response.destroy();
      else response.end();
    },
  };
  try {
    subscription = relays.subscribe({ route, client: exchange.client, socket, framing, hooks });
  } catch (error) {
    answerError(exchange, response, toWeirError(error));
  }
}
