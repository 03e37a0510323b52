// nginx as a peer: one process in the foreground, once as a cache, once passing through.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/demo/free-port.js';
import { packageRoot } from '../../src/package.js';
import { type BenchProcess, start } from '../support/process.js';

export interface Nginx extends BenchProcess {
  readonly url: string;
}

/** The fair settings of an operator: keep-alive to the origin, a cache in memory-backed files, one fetch for many who wait. */
function configuration(directory: string, port: number, origin: string, cached: boolean): string {
  const cache = `
    proxy_cache hls;
    proxy_cache_key $uri$is_args$args;
    proxy_cache_lock on;
    proxy_cache_use_stale updating error timeout;
    proxy_cache_background_update on;`;
  return `
daemon off;
master_process off;
worker_processes 1;
pid ${directory}/pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/temp;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  proxy_cache_path ${directory}/cache keys_zone=hls:10m max_size=256m use_temp_path=off inactive=10m;
  upstream origin { server ${origin}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_buffers 16 64k;
    proxy_buffer_size 16k;
    ${cached ? cache : ''}
    location ~ \\.m3u8$ { ${cached ? 'proxy_cache_valid 200 1s;' : ''} proxy_pass http://origin; }
    location / { ${cached ? 'proxy_cache_valid 200 10m;' : ''} proxy_pass http://origin; }
  }
}
`;
}

export async function startNginx(origin: string, cached: boolean, core: number): Promise<Nginx> {
  const directory = `${packageRoot}dist/bench/hls/nginx-${cached ? 'cache' : 'pass'}`;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const port = await freePort('127.0.0.1', 0);
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, configuration(directory, port, origin, cached));
  // nginx prints nothing when it is ready: a word first, then it takes the shell's place.
  const shell = `echo starting; exec nginx -e stderr -p ${directory} -c ${file}`;
  const running = await start(['sh', '-c', shell], core);
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; ; attempt += 1) {
    const ready = await fetch(`${url}/live/news.m3u8`).then(
      (answer) => answer.arrayBuffer().then(() => answer.ok),
      () => false,
    );
    if (ready) break;
    if (attempt > 100) throw new Error('nginx does not answer');
    await sleep(50);
  }
  return { ...running, url };
}
