// A hostile origin in a process of its own: each channel is one way of doing harm. Parameter: a URL that it redirects to and
// that no player may reach. Prints its address, and the names of its channels.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { flvFile, flvTag } from '../flv-bytes.js';

const [forbidden = ''] = process.argv.slice(2);
const head = '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n';
const line = (i: number, name: string) => `#EXTINF:1.0,\n${name}-${i}.ts\n`;
const now = () => Math.floor(Date.now() / 1000);
const window = (first: number, name: string, count = 6) =>
  `${head}#EXT-X-MEDIA-SEQUENCE:${first}\n${Array.from({ length: count }, (_, i) => line(first + i, name)).join('')}`;
/** 256 MiB of a playlist's line, as a quarter of a megabyte. */
const bomb = gzipSync(Buffer.alloc(256 << 20, '#EXTINF:1,\na.ts\n'));

/** Writes for as long as the other side reads. */
function endlessly(response: ServerResponse, chunk: () => Buffer | string): void {
  const write = () => {
    while (!response.destroyed && response.write(chunk()));
  };
  response.on('drain', write);
  write();
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { location }).end();
}

type Behaviour = (response: ServerResponse, path: string, name: string) => void;

const avcHeader = flvTag(9, 0, Buffer.from([0x17, 0, 0, 0, 0, 1, 0x42]));
const keyframe = (timestamp: number, size = 200) => {
  const body = Buffer.alloc(size, 0x5a);
  body.set([0x17, 1, 0, 0, 0]);
  return flvTag(9, timestamp, body);
};

const playlists: Record<string, Behaviour> = {
  'endless-playlist': (response, _path, name) => {
    let i = 0;
    response.write(`${head}#EXT-X-MEDIA-SEQUENCE:0\n`);
    endlessly(response, () => Array.from({ length: 500 }, () => line(i++, name)).join(''));
  },
  'endless-line': (response) => {
    response.write(`${head}#EXTINF:1,\n`);
    endlessly(response, () => 'x'.repeat(64 << 10));
  },
  'endless-headers': (response) => {
    const { socket } = response;
    socket?.write('HTTP/1.1 200 OK\r\n');
    const timer = setInterval(() => socket?.write(`X-${'y'.repeat(4000)}: z\r\n`), 1);
    socket?.on('close', () => clearInterval(timer));
  },
  'long-attributes': (response, _path, name) =>
    response.end(
      [
        head,
        `#EXT-X-KEY:METHOD=AES-128${' '.repeat(64 << 10)}"${' '.repeat(64 << 10)}\n`,
        Array.from({ length: 2_000 }, (_, i) => `#EXT-X-KEY:METHOD=AES-128,URI="k",KEYFORMAT="f${i}"\n`).join(''),
        `#EXT-X-MAP:URI="${'m'.repeat(64 << 10)}"\n`,
        `#EXT-X-DATERANGE:ID="${'d'.repeat(64 << 10)}",START-DATE="2020-01-01T00:00:00Z"\n`,
        window(now(), name).slice(head.length),
      ].join(''),
    ),
  'gzip-bomb': (response) => response.setHeader('content-encoding', 'gzip').end(bomb),
  'length-too-long': (response, _path, name) => {
    response.setHeader('content-length', 1 << 20).write(window(now(), name));
    setTimeout(() => response.destroy(), 200);
  },
  'length-too-short': (response, _path, name) => {
    response.socket?.write(
      `HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n${window(now(), name)}HTTP/1.1 200 OK\r\n\r\n`,
    );
  },
  'two-lengths': (response, _path, name) => {
    response.socket?.end(`HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 300\r\n\r\n${window(now(), name)}`);
  },
  'redirect-to-metadata': (response) => redirect(response, 'http://169.254.169.254/latest/meta-data/'),
  'redirect-to-forbidden': (response) => redirect(response, forbidden),
  'redirect-loop': (response, path) => redirect(response, `${path}?${Math.random()}`),
  'segments-redirect': (response, path, name) =>
    path.endsWith('.ts') ? redirect(response, forbidden) : response.end(window(now(), name)),
  'segments-missing': (response, path, name) =>
    path.endsWith('.ts') ? response.writeHead(404).end() : response.end(window(now(), name)),
  'segments-endless': (response, path, name) =>
    path.endsWith('.ts') ? endlessly(response, () => Buffer.alloc(64 << 10)) : response.end(window(now(), name)),
  'numbers-that-jump': (response, path, name) =>
    path.endsWith('.ts') ? response.end('x') : response.end(window(Math.floor(Math.random() * 2 ** 53), name)),
  'another-list-each-time': (response, path) =>
    path.endsWith('.ts') ? response.end('x') : response.end(window(now(), `r${Math.random()}`, 500)),
  'foreign-lines': (response, path, name) =>
    path.endsWith('.ts')
      ? response.end('x')
      : response.end(window(now(), `${name}"\r#EXT-X-ENDLIST\r\u0001?weir=x&$'$&`)),
  'ten-thousand-variants': (response, path) =>
    path.endsWith('.m3u8')
      ? response.end(
          `#EXTM3U\n${Array.from({ length: 10_000 }, (_, i) => `#EXT-X-STREAM-INF:BANDWIDTH=${i}\nv${i}.m3u8\n`).join('')}`,
        )
      : response.end('x'),
  trickle: (response) => {
    response.write(head);
    const timer = setInterval(() => response.write('#'), 500);
    response.on('close', () => clearInterval(timer));
  },
};

const streams: Record<string, Behaviour> = {
  'stream-that-replays': (response) => {
    const tags = Array.from({ length: 25 }, (_, i) => keyframe(40 * i));
    response.end(flvFile(false, true, [avcHeader, ...tags]));
  },
  'tags-of-16-mib': (response) => {
    response.write(flvFile(true, true, [avcHeader]));
    const start = Buffer.from([9, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0x17, 1, 0, 0, 0]);
    let sent = 0;
    endlessly(response, () => {
      sent += 1;
      return sent % 256 === 1 ? start : Buffer.alloc(64 << 10);
    });
  },
  'endless-metadata': (response) => {
    response.write(flvFile(true, true, []));
    const script = flvTag(
      18,
      0,
      Buffer.concat([Buffer.from([2, 0, 10]), Buffer.from('onMetaData'), Buffer.alloc(60_000)]),
    );
    endlessly(response, () => script);
  },
  'frames-without-a-pause': (response) => {
    response.write(flvFile(false, true, [avcHeader]));
    let i = 0;
    endlessly(response, () => keyframe((i++ * 1e7) % 2 ** 32, 60_000));
  },
  'one-group-for-ever': (response) => {
    response.write(flvFile(false, true, [avcHeader, keyframe(0)]));
    let i = 0;
    const timer = setInterval(() => {
      const body = Buffer.alloc(60_000, 0x5a);
      body.set([0x27, 1, 0, 0, 0]);
      response.write(flvTag(9, 40 * i++, body));
    }, 5);
    response.on('close', () => clearInterval(timer));
  },
  'no-flv-at-all': (response) => endlessly(response, () => Buffer.alloc(4_000, Math.floor(Math.random() * 256))),
  'stream-redirects': (response) => redirect(response, forbidden),
};

const behaviours = { ...playlists, ...streams };
const server = createServer((request, response) => {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  const name = Object.keys(behaviours).find((one) => path.startsWith(`/live/${one}`));
  response.on('error', () => response.destroy());
  if (name === undefined) response.writeHead(404).end();
  else behaviours[name]?.(response, path, name);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  const names = { playlists: Object.keys(playlists), streams: Object.keys(streams) };
  process.stdout.write(`${JSON.stringify({ address: `127.0.0.1:${port}`, ...names })}\n`);
});
process.stdin.resume().on('close', () => process.exit(0));
