// Viewers of a relayed stream over WebSocket: the handshake, messages of the player, and the end. The relay writes the stream
// itself on the socket, in whole messages.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { toWeirError, WeirError } from '../errors.js';
import type { Relays, Subscription, ViewerHooks } from '../relay/index.js';
import type { PlayerExchange } from './exchange.js';
import type { Route } from './route.js';
import { TalkLimit } from './talk-limit.js';
import { refuseUpgrade } from './websocket.js';

/** RFC 6455, section 7.4.1: the stream is over, or the edge shuts down. */
const goingAway = 1001;
/** RFC 6455, section 7.4.1: the client behaves as no player does. */
const policyViolation = 1008;
/** For the last bytes and the player's own close, in ms. */
const closeTimeout = 10_000;

/** The type lacks an option of ws: how long it waits for the answer to its close. */
const options: ServerOptions & { readonly closeTimeout: number } = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  closeTimeout,
  // Beyond these ws ends the connection: bytes of a message, its fragments, pieces of a frame.
  maxPayload: 1024,
  maxFragments: 16,
  maxBufferedChunks: 64,
};

/** Performs handshakes and reads what viewers send: pings are answered, a close is a close, and anything else is little. */
export function createWebSocketServer(): WebSocketServer {
  return new WebSocketServer(options);
}

/** Whether ws would refuse the handshake, known before a stream is started for it. */
function isHandshake({ headers }: IncomingMessage): boolean {
  const version = headers['sec-websocket-version'];
  const protocols = headers['sec-websocket-protocol'];
  return (
    /^[+/0-9a-z]{22}==$/i.test(headers['sec-websocket-key'] ?? '') &&
    (version === '13' || version === '8') &&
    (protocols === undefined || areTokens(protocols.split(',').map((name) => name.trim())))
  );
}

/** Names as RFC 6455, section 4.1 wants them, each once. */
const areTokens = (names: readonly string[]) =>
  new Set(names).size === names.length && names.every((name) => /^[\w!#$%&'*+.^`|~-]+$/.test(name));

/** Takes over an upgraded connection. Never throws. */
export function relayWebSocket(
  tools: { readonly relays: Relays; readonly webSockets: WebSocketServer },
  exchange: PlayerExchange,
  route: Route,
  socket: Socket,
  head: Buffer,
): void {
  const bytesBefore = socket.bytesWritten;
  let subscription: Subscription | undefined;
  let webSocket: WebSocket | undefined;
  let refused = false;
  const refuse = (error: WeirError) => {
    refused = true;
    refuseUpgrade(socket, exchange, error);
  };
  if (!isHandshake(exchange.request)) {
    refuse(new WeirError('bad_request', { detail: 'This is no WebSocket handshake.' }));
    return;
  }
  const leave = () => subscription?.cancel();
  socket.on('close', () => {
    leave();
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
        listen(accepted, socket, leave);
      });
    },
    onRefused: refuse,
    onEnd: () => webSocket?.close(goingAway),
  };
  try {
    subscription = tools.relays.subscribe({ route, client: exchange.client, socket, framing: 'websocket', hooks });
  } catch (error) {
    refuse(toWeirError(error));
  }
}

/** @param leave nothing of the stream is written after it */
function listen(webSocket: WebSocket, socket: Socket, leave: () => void): void {
  const limit = new TalkLimit(performance.now());
  const onFrame = () => {
    if (webSocket.readyState !== webSocket.OPEN || limit.take(performance.now())) return;
    leave();
    webSocket.close(policyViolation);
    // It is not read any more; the socket goes as soon as the player has taken what was written.
    webSocket.pause();
    socket.destroySoon();
  };
  webSocket.on('message', onFrame);
  webSocket.on('ping', onFrame);
  webSocket.on('pong', onFrame);
  // A frame that is broken or too large: ws has written the close that says so.
  webSocket.on('error', () => {
    leave();
    socket.destroySoon();
  });
}
