// Who takes part: the bare loop, weir's relay, and the proxies of Debian, which pass a pull through for each viewer.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/demo/free-port.js';
import { packageRoot } from '../../src/package.js';
import { type BenchProcess, start } from '../support/process.js';
import { startWeir } from '../support/weir.js';

export const path = '/live/bench.flv';
/** How viewers come. */
export type Protocol = 'http' | 'websocket';

/** The core of the server under test, and the one of the origin and the viewers. */
export const cores = { server: 0, load: 1 } as const;
const work = `${packageRoot}dist/bench/relay/`;
/** Connections that a peer may have on either side, within the usual limit of 20,000 open files. */
const connections = 9_500;

export interface Contestant {
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
  readonly server: BenchProcess;
  readonly others: readonly BenchProcess[];
}

/** Where the programs in C are after `compile`. */
export const programs = { fanout: join(work, 'fanout'), swarm: join(work, 'swarm') } as const;

export function compile(): void {
  mkdirSync(work, { recursive: true });
  for (const [name, program] of Object.entries(programs)) {
    const source = `${packageRoot}bench/relay/${name}.c`;
    const built = spawnSync('gcc', ['-O2', '-Wall', '-Wextra', '-o', program, source], { stdio: 'inherit' });
    if (built.status !== 0) throw new Error(`gcc could not compile ${source}: apt-get install build-essential`);
  }
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await sleep(50);
  }
  throw new Error(`nobody listens on port ${port}`);
}

const fanout = (window: number, bitrate: number, core: number) =>
  start([programs.fanout, '0', String(window), String(bitrate)], core);

export async function bareLoop(window: number, bitrate: number): Promise<Contestant> {
  const server = await fanout(window, bitrate, cores.server);
  return { name: 'bare loop', port: Number(server.firstLine), protocol: 'http', server, others: [] };
}

async function relay(window: number, bitrate: number, protocol: Protocol): Promise<Contestant> {
  // A frame at a time, as an origin sends them that does not merge.
  const origin = await fanout(40, bitrate, cores.load);
  const { url, process: server } = await startWeir({
    settings: ['workers=0', `relay.mergeWindow=${window}ms`, 'http.maxConnections=100000'],
    channel: 'bench',
    origin: `127.0.0.1:${origin.firstLine}`,
    core: cores.server,
  });
  const name = protocol === 'http' ? 'weir' : 'weir, WebSocket';
  return { name, port: Number(new URL(url).port), protocol, server, others: [origin] };
}

export const weir = (window: number, bitrate: number) => relay(window, bitrate, 'http');
export const weirWebSocket = (window: number, bitrate: number) => relay(window, bitrate, 'websocket');

/** The origin merges frames for the peers, so that they, too, have one read and one write per viewer and window. */
async function peer(
  name: string,
  configuration: (port: number, origin: string) => string,
  command: (file: string) => string[],
  window: number,
  bitrate: number,
): Promise<Contestant> {
  const origin = await fanout(window, bitrate, cores.load);
  const port = await freePort('127.0.0.1', 0);
  const file = join(work, `${name}.conf`);
  writeFileSync(file, configuration(port, origin.firstLine));
  const server = await start(['sh', '-c', 'echo starting; exec "$@"', 'sh', ...command(file)], cores.server);
  await untilListening(port);
  return { name, port, protocol: 'http', server, others: [origin] };
}

const nginxConfiguration = (port: number, origin: string) => `
daemon off; master_process off; pid ${work}nginx.pid; error_log stderr crit; 
events { worker_connections ${2 * connections}; }
http {
  access_log off; proxy_temp_path ${work}; client_body_temp_path ${work}; fastcgi_temp_path ${work};
  uwsgi_temp_path ${work}; scgi_temp_path ${work};
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://127.0.0.1:${origin}; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_buffer_size 64k; proxy_buffers 8 64k; }
  }
}
`;

const haproxyConfiguration = (port: number, origin: string) => `
global
  nbthread 1
  maxconn ${connections}
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
listen relay
  bind 127.0.0.1:${port} backlog 4096
  server origin 127.0.0.1:${origin}
`;

const program = (...places: string[]) => places.find((place) => existsSync(place));

/** nginx, as Debian packages it; undefined where it is not installed. */
export function nginx(window: number, bitrate: number): Promise<Contestant> | undefined {
  const found = program('/usr/sbin/nginx');
  if (found === undefined) return undefined;
  return peer('nginx', nginxConfiguration, (file) => [found, '-c', file], window, bitrate);
}

/** HAProxy, as Debian packages it; undefined where it is not installed. */
export function haproxy(window: number, bitrate: number): Promise<Contestant> | undefined {
  const found = program('/usr/sbin/haproxy');
  if (found === undefined) return undefined;
  return peer('HAProxy', haproxyConfiguration, (file) => [found, '-db', '-f', file], window, bitrate);
}
