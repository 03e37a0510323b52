// The listener that media servers call when a stream begins or ends.

import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Logger, seldom } from '../log.js';
import type { ListenAddress } from '../net-address.js';
import type { HookCall } from './server.js';

export interface HookSettings {
  readonly listen: ListenAddress;
  /** Expected in the path or as `token` in the query of every call; undefined: whoever reaches the listener may call. */
  readonly token: string | undefined;
}

export interface HookListener {
  /** `http://HOST:PORT`. */
  readonly url: string;
  close(): Promise<void>;
}

/** LAL reports all its streams in one call. */
const maxBodyBytes = 1024 * 1024;
/** For a whole request. */
const deadlineMs = 5_000;
const maxConnections = 64;

/** Every kind of server takes this for consent. A refusal is never sent: it would end a publisher. */
const consent = '{"code":0,"msg":"success"}';

/**
 * Answers every call with consent, even one that is not understood. A call without the right token is answered and ignored.
 *
 * @throws Error when the address cannot be listened on
 */
export async function listenForHooks(
  { listen, token }: HookSettings,
  heard: (call: HookCall) => void,
  logger: Logger,
): Promise<HookListener> {
  const warn = seldom((fields: { readonly reason: string }) => logger.warn(fields, 'a hook was ignored'), 60_000);
  const server = createServer({
    requestTimeout: deadlineMs,
    headersTimeout: deadlineMs,
    connectionsCheckingInterval: 500,
  });
  server.maxConnections = maxConnections;
  server.on('request', (request: IncomingMessage, response) => {
    response.on('error', () => {});
    readCall(request).then(
      (call) => {
        // A web page that is open on this machine could call too; a media server has no Origin.
        if (request.headers.origin !== undefined) warn({ reason: 'a web page sent it' });
        else if (token !== undefined && !carries(call, request.url ?? '', token)) {
          warn({ reason: 'its token is missing or wrong' });
        } else heard(call);
        response.writeHead(200, { 'content-type': 'application/json' }).end(consent);
      },
      (error: Error) => {
        warn({ reason: error.message });
        response.writeHead(400, { connection: 'close' }).end();
      },
    );
  });
  server.listen(listen.port, listen.host ?? '127.0.0.1');
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  return {
    url: `http://${address.includes(':') ? `[${address}]` : address}:${port}`,
    close: () => closed(server),
  };
}

async function readCall(request: IncomingMessage): Promise<HookCall> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new Error(`its body is larger than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  const url = new URL(request.url ?? '/', 'http://hooks.invalid');
  return {
    name: url.pathname.split('/').at(-1) ?? '',
    query: url.searchParams,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

/** Whether the token is a segment of the path or in the query. */
function carries({ query }: HookCall, url: string, token: string): boolean {
  const segments = (url.split('?', 1)[0] ?? '').split('/');
  return [...segments, ...query.getAll('token')].slice(0, 20).some((given) => same(given, token));
}

/** Compares in a time that depends on neither text. */
function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

async function closed(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
