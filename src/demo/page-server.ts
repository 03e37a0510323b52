// Serves the demo's player page, and passes the admin API's picture of the endpoints on to it from the same origin.

import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { request as send } from 'undici';
import { packageRoot } from '../package.js';

export interface PageServerOptions {
  readonly host: string;
  readonly port: number;
  readonly channels: readonly string[];
  /** Port of the data listener: the page plays from its own host name there. */
  readonly dataPort: number;
  /** `host:port` of the admin listener. */
  readonly adminAddress: string;
  /** The origins, to name the endpoints by. */
  readonly origins: () => readonly { readonly name: string; readonly address: string; readonly registered?: boolean }[];
}

export interface PageServer {
  readonly port: number;
  close(): Promise<void>;
}

const require = createRequire(import.meta.url);
const page = `${packageRoot}src/demo/page/`;
const [html, script, style] = ['text/html; charset=utf-8', 'text/javascript; charset=utf-8', 'text/css; charset=utf-8'];

/** Everything there is to serve from disk: a path that is not a key does not exist. */
const files = new Map([
  ['/', { type: html, file: `${page}index.html` }],
  ['/main.js', { type: script, file: `${page}main.js` }],
  ['/player.js', { type: script, file: `${page}player.js` }],
  ['/endpoints.js', { type: script, file: `${page}endpoints.js` }],
  ['/style.css', { type: style, file: `${page}style.css` }],
  ['/vendor/hls.min.js', { type: script, file: require.resolve('hls.js/dist/hls.min.js') }],
  ['/vendor/mpegts.js', { type: script, file: require.resolve('mpegts.js/dist/mpegts.js') }],
]);

/** Deadline for an answer of the admin API. */
const apiTimeoutMs = 2_000;

/** Rejects when the port is taken. */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const settings = () =>
    JSON.stringify({
      channels: options.channels,
      dataPort: options.dataPort,
      origins: options.origins().map(({ name, address, registered }) => ({ name, address, registered })),
    });
  const apiPaths = new Map([
    ['/api/snapshot', '/api/v1/snapshot'],
    ...options.channels.map((channel): [string, string] => [
      `/api/explain/${channel}`,
      `/api/v1/channels/${encodeURIComponent(channel)}/explain`,
    ]),
  ]);
  const headers = {
    'Content-Security-Policy': contentSecurityPolicy(options.dataPort),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-cache',
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const reply = (status: number, type: string, body: string | Buffer) => {
      response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return reply(405, 'text/plain', 'GET and HEAD only\n');
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const entry = files.get(path);
    if (entry !== undefined) return reply(200, entry.type, await readFile(entry.file));
    if (path === '/settings.json') return reply(200, 'application/json', settings());
    const apiPath = apiPaths.get(path);
    if (apiPath === undefined) return reply(404, 'text/plain', 'not found\n');
    try {
      const answer = await send(`http://${options.adminAddress}${apiPath}`, {
        headersTimeout: apiTimeoutMs,
        bodyTimeout: apiTimeoutMs,
      });
      return reply(answer.statusCode, 'application/json', await answer.body.text());
    } catch (error) {
      return reply(502, 'application/json', JSON.stringify({ error: `the admin listener: ${String(error)}` }));
    }
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Own files only; streams from the data port of any host name, for the page may be opened by another name. */
function contentSecurityPolicy(dataPort: number): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' http://*:${dataPort} ws://*:${dataPort}`,
    // Media Source and the players' workers live at blob: URLs.
    'media-src blob:',
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
