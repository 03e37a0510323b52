// WebSocket-FLV that weir does not relay itself: the upgrade goes to the picked endpoint, and bytes pass both ways.

import { Agent, type IncomingMessage } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import httpProxy from 'http-proxy';
import type { Balancer } from '../balancer/balancer.js';
import type { Outcome } from '../balancer/policy.js';
import { toWeirError, WeirError } from '../errors.js';
import type { Networks } from '../net-address.js';
import { allowedLookup } from '../upstream/allowed-lookup.js';
import { upstreamTarget } from '../upstream/target.js';
import type { PlayerExchange } from './exchange.js';
import { upstreamHeaders } from './headers.js';
import type { Route } from './route.js';

export interface UpgradeAgents {
  readonly http: Agent;
  readonly https: SecureAgent;
}

/** Connections to allowed addresses only. */
export function createUpgradeAgents(allow: Networks): UpgradeAgents {
  const options = { lookup: allowedLookup(allow) };
  return { http: new Agent(options), https: new SecureAgent(options) };
}

export interface WebSocketTools {
  readonly balancer: Balancer;
  readonly agents: UpgradeAgents;
  /** Deadline for the endpoint's answer to the upgrade, in ms. */
  readonly firstByteTimeout: number;
}

/** A refused upgrade is answered with the error as a plain HTTP response, and the socket is closed. */
export function refuseUpgrade(socket: Duplex, exchange: PlayerExchange, error: WeirError): void {
  exchange.failed(error);
  const body = JSON.stringify({ error: error.code, message: error.message, request_id: exchange.hop.requestId });
  if (!socket.destroyed) {
    socket.end(
      `HTTP/1.1 ${error.status} ${error.code}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
        `Connection: close\r\nX-Request-Id: ${exchange.hop.requestId}\r\n\r\n${body}`,
    );
  }
  exchange.ended();
}

export function passWebSocket(
  tools: WebSocketTools,
  exchange: PlayerExchange,
  route: Route,
  socket: Socket,
  head: Buffer,
): void {
  let pick: ReturnType<Balancer['pick']>;
  try {
    pick = tools.balancer.pick(route.channel);
  } catch (error) {
    refuseUpgrade(socket, exchange, toWeirError(error));
    return;
  }
  exchange.endpoint = pick.endpoint.address;
  const target = upstreamTarget(pick.endpoint.address, route);
  const request = upgradeRequest(exchange, target.path);
  const writtenBefore = socket.bytesWritten;
  // One proxy an upgrade: its events then belong to this player alone.
  const proxy = httpProxy.createProxyServer({
    target: target.server,
    agent: target.server.startsWith('https:') ? tools.agents.https : tools.agents.http,
    changeOrigin: true,
    prependPath: false,
    toProxy: true,
  });
  let outcome: Outcome = 'abandoned';
  proxy.on('proxyReqWs', (upstream) => {
    const timeout = setTimeout(
      () => upstream.destroy(new WeirError('upstream_first_byte_timeout')),
      tools.firstByteTimeout,
    );
    upstream.once('close', () => clearTimeout(timeout));
    upstream.once('upgrade', () => {
      clearTimeout(timeout);
      outcome = 'success';
      exchange.started(101);
      pick.firstByte();
    });
    upstream.once('response', (answer) => {
      clearTimeout(timeout);
      exchange.started(answer.statusCode ?? 502);
    });
  });
  socket.on('close', () => {
    pick.done(outcome);
    if (outcome === 'success') exchange.sent(socket.bytesWritten - writtenBefore);
    exchange.ended();
    proxy.removeAllListeners();
  });
  proxy.ws(request, socket, head, {}, (cause) => {
    if (outcome !== 'abandoned') return;
    const timedOut = cause instanceof WeirError;
    outcome = timedOut ? 'first_byte_timeout' : 'connect_error';
    refuseUpgrade(socket, exchange, timedOut ? cause : new WeirError('upstream_connect', { cause }));
  });
}

/** The player's request with the path and the header fields that the endpoint is to see. */
function upgradeRequest(exchange: PlayerExchange, path: string): IncomingMessage {
  const { request } = exchange;
  const { connection, upgrade } = request.headers;
  const headers = upstreamHeaders(request.headers, exchange.hop);
  if (connection !== undefined) headers['connection'] = connection;
  if (upgrade !== undefined) headers['upgrade'] = upgrade;
  request.url = path;
  request.headers = headers as IncomingMessage['headers'];
  return request;
}
