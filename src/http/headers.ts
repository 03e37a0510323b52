// Pure: which header fields go on, to an endpoint and to a player (RFC 9110, section 7.6).

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

type Headers = Record<string, string | string[]>;

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** Fields about the player's own request that are set anew, or have no meaning for a request without a body. */
const replacedUpstream = new Set(['host', 'expect', 'content-length', 'via', 'x-request-id']);

export interface Hop {
  /** Of the player, as the socket says. */
  readonly remoteAddress: string;
  readonly requestId: string;
  /** This edge, in `Via`. */
  readonly via: string;
  /** Whether the player's own X-Forwarded-* are believed. */
  readonly trustForwarded: boolean;
}

/** The fields of a request to an endpoint. */
export function upstreamHeaders(headers: IncomingHttpHeaders, hop: Hop): Headers {
  const named = namedByConnection(headers);
  const out: Headers = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || hopByHop.has(name) || replacedUpstream.has(name) || named?.has(name)) continue;
    if (!hop.trustForwarded && isForwarded(name)) continue;
    out[name] = value;
  }
  const before = hop.trustForwarded ? headers['x-forwarded-for'] : undefined;
  out['x-forwarded-for'] = before === undefined ? hop.remoteAddress : `${before}, ${hop.remoteAddress}`;
  out['x-forwarded-proto'] ??= 'http';
  if (headers.host !== undefined) out['x-forwarded-host'] ??= headers.host;
  out['x-request-id'] = hop.requestId;
  out['via'] = appendVia(headers['via'], hop.via);
  return out;
}

/** What a proxy tells of its client; origins decide by it who may do what. */
function isForwarded(name: string): boolean {
  return name.startsWith('x-forwarded-') || name === 'forwarded' || name === 'x-real-ip';
}

/**
 * Whether there is one well-formed Host (RFC 9112, section 3.2), or none in HTTP/1.0. Of two, the first is meant to one
 * server and the last to another.
 */
export function isHostValid({ rawHeaders, headers, httpVersion }: IncomingMessage): boolean {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts === 0) return httpVersion === '1.0';
  return hosts === 1 && /^[\w.~!$&'()*+,;=:%[\]-]*$/.test(headers.host ?? '');
}

/** Bytes of a request's body that are read to keep its connection. */
const maxBodyBytes = 16 * 1024;

/**
 * Whether a body follows the header of a request that is not worth reading, since it means nothing here (RFC 9110, section
 * 9.3.1): it is long, or does not say how long it is.
 */
export function hasLongBody({ headers }: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  return coding !== undefined || Number(length ?? 0) > maxBodyBytes;
}

/** The fields of an answer to a player. With CORS of our own, the endpoint's is left out. */
export function playerHeaders(
  headers: IncomingHttpHeaders,
  hop: Pick<Hop, 'requestId' | 'via'>,
  cors: Headers | undefined,
): Headers {
  const named = namedByConnection(headers);
  const out: Headers = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || hopByHop.has(name) || named?.has(name)) continue;
    if (cors !== undefined && name.startsWith('access-control-')) continue;
    out[name] = value;
  }
  if (cors !== undefined) addCors(out, cors);
  out['x-request-id'] = hop.requestId;
  out['via'] = appendVia(headers['via'], hop.via);
  return out;
}

/** True when a request came through this edge before. */
export function isLoop(headers: IncomingHttpHeaders, via: string): boolean {
  return headers['via']?.includes(via) === true;
}

/** A request id from a trusted proxy, where it is harmless to repeat in a header and a log. */
export function acceptableRequestId(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && /^[\w.:+/=-]{1,128}$/.test(value) ? value : undefined;
}

/**
 * CORS fields of an answer (https://fetch.spec.whatwg.org/#http-cors-protocol); undefined where none are to be sent.
 * With a list of origins the answer depends on the request's Origin, which `Vary` tells to caches.
 */
export function corsHeaders(allowed: readonly string[], origin: string | undefined): Headers | undefined {
  if (allowed.length === 0) return undefined;
  const expose = { 'access-control-expose-headers': 'Content-Length, Content-Range, Date, X-Request-Id' };
  if (allowed.includes('*')) return { 'access-control-allow-origin': '*', ...expose };
  if (origin === undefined || !allowed.includes(origin)) return { vary: 'Origin' };
  return { 'access-control-allow-origin': origin, vary: 'Origin', ...expose };
}

/**
 * Whether a page of this origin may open a WebSocket. Browsers leave that to the server (RFC 6455, section 10.2), so the list for
 * CORS is held to here. As with CORS, programs that send no Origin and pages of the very host that is asked need no entry.
 */
export function mayOpenWebSocket(allowed: readonly string[], { origin, host }: IncomingHttpHeaders): boolean {
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true;
  if (host === undefined || !URL.canParse(origin)) return false;
  const page = new URL(origin);
  const asked = `${page.protocol}//${host}`;
  return URL.canParse(asked) && new URL(asked).host === page.host;
}

/** What a preflight asks for (an OPTIONS request of a browser). */
export const preflightHeaders: Headers = {
  'access-control-allow-methods': 'GET, HEAD, OPTIONS',
  'access-control-allow-headers': 'Range, If-None-Match, If-Modified-Since, Authorization, Content-Type, X-Request-Id',
  'access-control-max-age': '86400',
};

function addCors(out: Headers, cors: Headers): void {
  const vary = out['vary'];
  Object.assign(out, cors);
  if (vary !== undefined && cors['vary'] !== undefined) out['vary'] = `${vary}, ${cors['vary']}`;
}

function appendVia(before: string | string[] | undefined, via: string): string {
  return before === undefined ? via : `${before}, ${via}`;
}

/** Fields that `Connection` names belong to the one connection, too. */
function namedByConnection(headers: IncomingHttpHeaders): Set<string> | undefined {
  const { connection } = headers;
  if (connection === undefined || /^(?:keep-alive|close)$/i.test(connection)) return undefined;
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
}
