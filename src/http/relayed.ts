// Viewers of a relayed stream: the head of the answer is written here, the stream itself by the relay on the socket.

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { toWeirError, type WeirError } from '../errors.js';
import type { Framing } from '../relay/frames.js';
import type { Attachment, Relays } from '../relay/relays.js';
import type { ViewerHooks } from '../relay/viewer.js';
import { clientKey } from './client-key.js';
import { answerError, type PlayerExchange } from './exchange.js';
import { playerHeaders } from './headers.js';
import type { Route } from './route.js';
import { refuseUpgrade } from './websocket.js';

/** Going away (RFC 6455, section 7.4.1): the stream is over, or the edge shuts down. */
const goingAway = 1001;
/** For what a viewer's socket still holds when the stream is over, in ms. */
const lastBytesTimeout = 10_000;
/** What a viewer may send is only control frames; bytes of a message at most. */
const maxMessage = 4096;

/** Performs handshakes and reads what viewers send: pings are answered, a close is a close. */
export function createWebSocketServer(): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessage,
  });
}

function streamHeaders(exchange: PlayerExchange): Record<string, string | string[]> {
  const fields = { 'content-type': 'video/x-flv', 'cache-control': 'no-store' };
  return playerHeaders(fields, exchange.hop, exchange.cors);
}

/** HTTP/1.0 knows no chunks, and a connection that is closed anyway needs none. */
function framingOf({ request, edge }: PlayerExchange): Framing {
  if (edge.audience === 'workers') return 'peer';
  const closes = /(?:^|,)\s*close\s*(?:,|$)/i.test(request.headers.connection ?? '');
  return closes || request.httpVersion === '1.0' ? 'raw' : 'chunked';
}

/** Another worker counts its own players. */
function clientOf({ request, edge, hop }: PlayerExchange): string | undefined {
  if (edge.audience === 'workers') return undefined;
  return clientKey(hop.remoteAddress, hop.trustForwarded ? request.headers['x-forwarded-for'] : undefined);
}

/** Answers one GET whose response has its connection for itself. Never throws. */
export function relayHttp(relays: Relays, exchange: PlayerExchange, route: Route, response: ServerResponse): void {
  const { socket } = exchange.request;
  const framing = framingOf(exchange);
  const bytesBefore = socket.bytesWritten;
  let attachment: Attachment | undefined;
  const onClose = () => {
    attachment?.detach();
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
      socket.setTimeout(lastBytesTimeout);
      response.end();
    },
  };
  try {
    attachment = relays.attach({ route, client: clientOf(exchange), socket, framing, hooks });
  } catch (error) {
    answerError(exchange, response, toWeirError(error));
  }
}

/** Takes over an upgraded connection. Never throws. */
export function relayWebSocket(
  tools: { readonly relays: Relays; readonly webSockets: WebSocketServer },
  exchange: PlayerExchange,
  route: Route,
  socket: Socket,
  head: Buffer,
): void {
  const bytesBefore = socket.bytesWritten;
  let attachment: Attachment | undefined;
  let webSocket: WebSocket | undefined;
  let refused = false;
  const refuse = (error: WeirError) => {
    refused = true;
    refuseUpgrade(socket, exchange, error);
  };
  socket.on('close', () => {
    attachment?.detach();
    if (refused) return;
    exchange.streamed(socket.bytesWritten - bytesBefore);
    exchange.ended();
  });
  const hooks: ViewerHooks = {
    onStart: (endpoint) => {
      exchange.endpoint = endpoint;
      tools.webSockets.handleUpgrade(exchange.request, socket, head, (accepted) => {
        exchange.started(101);
        webSocket = accepted;
        // A broken frame from the viewer closes its connection; nothing else is to be done about it.
        accepted.on('error', () => socket.destroy());
      });
    },
    onRefused: refuse,
    onEnd: () => webSocket?.close(goingAway),
  };
  try {
    attachment = tools.relays.attach({ route, client: clientOf(exchange), socket, framing: 'websocket', hooks });
  } catch (error) {
    refuse(toWeirError(error));
  }
}
