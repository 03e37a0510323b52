// What a hostile player does, one attack after another. Each ends by itself, and leaves nothing open.

import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeAll, flood, get, hold, open, openMany, type Statuses, type Target } from './raw.js';

export interface AttackTools {
  readonly target: Target;
  /** The channel that it is after. */
  readonly channel: string;
  /** How many times as much as in a test. */
  readonly scale: number;
}

export interface Attack {
  readonly name: string;
  readonly run: (tools: AttackTools) => Promise<Statuses | undefined>;
}

const many = (count: number, make: (index: number) => string) => Array.from({ length: count }, (_, i) => make(i));
const word = () => randomBytes(4).toString('hex');
const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;
const latin = (length: number) =>
  randomBytes(length)
    .toString('latin1')
    .replace(/[\0-\x20\x7f-\xff#]/g, 'x');

/** URIs of the segments that the playlist lists now. */
async function segments({ target, channel }: AttackTools): Promise<string[]> {
  const base = `http://${target.host}:${target.port}/live/${channel}.m3u8`;
  const text = await (await fetch(base, { signal: AbortSignal.timeout(10_000) })).text();
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((uri) => {
      const url = new URL(uri, base);
      return url.pathname + url.search;
    });
}

function randomQuery(): string {
  const parts = many(1 + Math.floor(Math.random() * 4), () =>
    pick([
      () => `${word()}=${word()}`,
      () => `u=${Math.random()}`,
      () => `weir=${word()}`,
      () => `weir=&x=${word()}`,
      () => `_HLS_msn=${Math.floor(Math.random() * 1e9)}`,
      () => `token=${latin(20)}`,
      () => `%${word()}=%2e%2e%2f`,
      () => latin(60),
      () => `a=${"$'".repeat(20)}$&$\``,
    ])(),
  );
  return parts.join('&');
}

function randomPath(channel: string): string {
  const encoded = [...channel].map((letter) =>
    Math.random() < 0.5 ? letter : `%${letter.charCodeAt(0).toString(16)}`,
  );
  return pick([
    () => `/live/${word()}.m3u8`,
    () => `/${word()}/${channel}.m3u8`,
    () => `/live/${encoded.join('')}.m3u8`,
    () => `/live/${channel}-${Math.floor(Math.random() * 1e6)}.ts`,
    () => `/live/${channel}/${word()}/${word()}.ts`,
    () => `/live/${channel}.${word()}`,
    () => `/live/%2e%2e/%2e%2e/${word()}/${channel}.m3u8`,
    () => `/live/${channel}/..%2f..%2fetc/passwd`,
    () => `/live/${channel}_${word()}.m3u8`,
    () => `//${word()}//${channel}.m3u8`,
    () => `/live/${latin(200)}`,
    () => `/live/${channel}/%00.ts`,
    () => `/live/${channel}/${'a/'.repeat(300)}.m3u8`,
  ])();
}

const webSocketRequest = (path: string) =>
  get(
    path,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${createHash('md5').update(word()).digest('base64')}`,
  );

/** A masked frame, as clients send them (RFC 6455, section 5.2). */
function frame(opcode: number, body: Buffer, last = true): Buffer {
  const mask = randomBytes(4);
  const { length } = body;
  const head = length < 126 ? Buffer.alloc(2) : length < 65536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = (last ? 0x80 : 0) | opcode;
  if (length < 126) head[1] = 0x80 | length;
  else if (length < 65536) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, mask, Buffer.from(body.map((byte, i) => byte ^ (mask[i % 4] ?? 0)))]);
}

export const attacks: readonly Attack[] = [
  {
    name: 'a thousand pipelined streams in one packet, then gone',
    run: async ({ target, channel, scale }) => {
      for (let round = 0; round < 3 * scale; round += 1) {
        const socket = await open(target);
        socket?.resume().write(get(`/live/${channel}.flv`).repeat(1024));
        await sleep(500);
        socket?.destroy();
      }
      return undefined;
    },
  },
  {
    name: 'one channel under many spellings of its path',
    run: ({ target, channel, scale }) => {
      const path = (i: number) =>
        `/${i % 2 === 0 ? 'live' : `app${i}`}/%${channel.charCodeAt(0).toString(16)}${channel.slice(1)}.flv?${i}`;
      return flood(
        target,
        many(110 * scale, (i) => get(path(i))),
      );
    },
  },
  {
    name: 'streams under made-up names of renditions, some of them not read',
    run: async ({ target, channel, scale }) => {
      const sockets = await openMany(target, 40 * scale);
      for (const [i, socket] of sockets.entries()) socket.pause().write(get(`/live/${channel}_${i % 7}20p.flv`));
      await sleep(3_000);
      closeAll(sockets);
      return undefined;
    },
  },
  {
    name: 'cache busting',
    run: ({ target, channel, scale }) =>
      flood(
        target,
        many(300 * scale, (i) => get(`/live/${channel}.m3u8?u=${i}`)),
        1,
      ),
  },
  {
    name: 'replacement patterns in a query',
    run: ({ target, channel, scale }) => {
      const patterns = ["$'", '$`', '$&', '$$', '$1'];
      return flood(
        target,
        many(30 * scale, (i) => get(`/live/${channel}.m3u8?a=${(patterns[i % 5] ?? '').repeat(10 + 50 * (i % 4))}`)),
        1,
      );
    },
  },
  {
    name: 'pins that lead out of the channel, and made-up pins',
    run: ({ target, channel, scale }) => {
      const variant = (path: string, index: number) => `m${index}.${Buffer.from(path).toString('base64url')}`;
      const pins = [
        variant('/%2e%2e/%2e%2e/secret/board/index.m3u8', 0),
        variant('/../x.m3u8', 0),
        variant('.m3u8', 9999),
        'undefined',
        `${word()}.${word()}`,
        'A'.repeat(2000),
        '%00',
      ];
      return flood(
        target,
        many(700 * scale, (i) => {
          const [path, pin] = [i % 2 === 0 ? '/x.m3u8' : '-1.ts', i % 3 === 0 ? word() : pins[i % pins.length]];
          return get(`/live/${channel}${path}?weir=${pin}&x=${i}`);
        }),
      );
    },
  },
  {
    name: 'playlists under one pin with queries of an origin’s own',
    run: ({ target, channel, scale }) =>
      flood(
        target,
        many(200 * scale, (i) => get(`/live/${channel}.m3u8?weir=&x=${i}`)),
      ),
  },
  {
    name: 'ten thousand random queries',
    run: ({ target, channel, scale }) =>
      flood(
        target,
        many(10_000 * scale, () => get(`/live/${channel}.m3u8?${randomQuery()}`)),
      ),
  },
  {
    name: 'ten thousand random paths',
    run: ({ target, channel, scale }) =>
      flood(
        target,
        many(10_000 * scale, () => get(randomPath(channel))),
      ),
  },
  {
    name: 'tokens that have expired',
    run: ({ target, channel, scale }) =>
      flood(
        target,
        many(400 * scale, (i) => {
          const rest = pick(['.m3u8', '-1.ts', '.flv', '-100000.ts']);
          return get(`/live/${channel}${rest}?token=bad${i % 2 === 0 ? '' : `&u=${i}`}`);
        }),
      ),
  },
  {
    name: 'made-up credentials',
    run: ({ target, channel, scale }) =>
      flood(
        target,
        many(2_000 * scale, () => get(`/live/${channel}.m3u8`, `Authorization: Bearer ${word()}`)),
      ),
  },
  {
    name: 'made-up low-latency requests',
    run: ({ target, channel, scale }) =>
      flood(
        target,
        many(500 * scale, (i) => {
          const query = pick([
            `_HLS_msn=${i * 1e6}`,
            `_HLS_msn=${2000 + i}&_HLS_part=${i}`,
            '_HLS_part=1',
            '_HLS_skip=v2',
          ]);
          return get(`/live/${channel}.m3u8?${query}`);
        }),
        64,
      ),
  },
  {
    name: 'ranges without end',
    run: async (tools) => {
      const uris = await segments(tools);
      return flood(
        tools.target,
        many(1_000 * tools.scale, (i) => {
          const ranges = [
            `${i}-${i}`,
            '0-',
            `-${i + 1}`,
            many(200, (k) => `${k}-${k}`).join(','),
            `${i * 1e9}-`,
            '5-1',
            `0-${'9'.repeat(400)}`,
          ];
          return get(pick(uris), `Range: bytes=${pick(ranges)}`);
        }),
      );
    },
  },
  {
    name: 'conditional requests and methods that no player uses',
    run: async (tools) => {
      const uris = [...(await segments(tools)), `/live/${tools.channel}.m3u8`, `/live/${tools.channel}.flv`];
      return flood(
        tools.target,
        many(600 * tools.scale, (i) => {
          const asked = get(
            pick(uris),
            `If-None-Match: ${'"x",'.repeat(i % 300)}"y"`,
            'If-Range: Thu, 01 Jan 1970 00:00:00 GMT',
          );
          return pick([
            asked.replace('GET', () => 'HEAD'),
            asked.replace('GET', () => 'OPTIONS'),
            asked.replace('GET', () => 'DELETE'),
            asked.replace('\r\n', () => '\r\nContent-Length: 5\r\n').concat('hello'),
            asked.replace('HTTP/1.1', () => 'HTTP/1.0'),
          ]);
        }),
      );
    },
  },
  {
    name: 'headers that come a byte at a time, and never end',
    run: async ({ target, channel, scale }) => {
      const sockets = await openMany(target, 300 * scale);
      const text = get(`/live/${channel}.m3u8`, `X: ${'x'.repeat(500)}`);
      await hold(sockets, 40, 100, (socket, round) => socket.write(text[round] ?? 'x'));
      closeAll(sockets);
      return undefined;
    },
  },
  {
    name: 'bodies that never end',
    run: async ({ target, channel, scale }) => {
      const sockets = await openMany(target, 100 * scale);
      for (const socket of sockets) {
        socket.resume().write(get(`/live/${channel}.m3u8`, 'Transfer-Encoding: chunked'));
      }
      await hold(sockets, 20, 100, (socket) => socket.write(`1000\r\n${'x'.repeat(0x1000)}\r\n`));
      closeAll(sockets);
      return undefined;
    },
  },
  {
    name: 'headers of all sizes and kinds',
    run: ({ target, channel, scale }) =>
      flood(
        target,
        many(500 * scale, (i) =>
          get(
            `/live/${channel}.m3u8`,
            ...pick([
              many(150, (k) => `X-${k}: ${word()}`),
              [`X: ${'y'.repeat(60_000)}`],
              [`Via: 1.1 ${word()}`, `X-Forwarded-For: ${many(100, () => '10.0.0.1').join(', ')}`],
              ['Host: other'],
              [`Cookie: ${word()}=${'z'.repeat(3_000)}`],
              ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA'],
              [`Expect: ${i % 2 === 0 ? '100-continue' : word()}`],
            ]),
          ),
        ),
      ),
  },
  {
    name: 'readers that do not read',
    run: async (tools) => {
      const uris = await segments(tools);
      const sockets = await openMany(tools.target, 150 * tools.scale);
      for (const [i, socket] of sockets.entries()) {
        socket.pause().write(i % 2 === 0 ? get(`/live/${tools.channel}.flv`) : get(pick(uris)).repeat(50));
      }
      await sleep(5_000);
      closeAll(sockets);
      return undefined;
    },
  },
  {
    name: 'connections that are opened and left',
    run: async ({ target, scale }) => {
      const sockets = await openMany(target, 500 * scale);
      await sleep(2_000);
      closeAll(sockets);
      return undefined;
    },
  },
  {
    name: 'joining and leaving again and again',
    run: async ({ target, channel, scale }) => {
      for (let round = 0; round < 10 * scale; round += 1) {
        const sockets = await openMany(target, 100);
        for (const [i, socket] of sockets.entries()) {
          const path = `/live/${channel}.flv`;
          socket.resume().write(i % 2 === 0 ? get(path) : webSocketRequest(path));
        }
        await sleep(50);
        closeAll(sockets);
      }
      return undefined;
    },
  },
  {
    name: 'five hundred WebSockets that send what no player sends',
    run: async ({ target, channel, scale }) => {
      const sockets = await openMany(target, 500);
      for (const socket of sockets) socket.resume().write(webSocketRequest(`/live/${channel}.flv`));
      await hold(sockets, 20 * scale, 100, (socket, round) => {
        const opcode = [1, 2, 9, 10, 0, 3, 8][round % 7] ?? 1;
        socket.write(frame(opcode, randomBytes(pick([0, 1, 100, 125]))));
      });
      closeAll(sockets);
      return undefined;
    },
  },
  {
    name: 'WebSocket messages of a megabyte, and messages without an end',
    run: async ({ target, channel, scale }) => {
      const large = frame(2, Buffer.alloc(1 << 20, 7));
      const part = frame(0, Buffer.alloc(1000, 7), false);
      const start = frame(2, Buffer.alloc(1000, 7), false);
      const sockets = await openMany(target, 50);
      for (const socket of sockets) socket.resume().write(webSocketRequest(`/live/${channel}.flv`));
      await sleep(300);
      await hold(sockets, 20 * scale, 50, (socket, round) => {
        if (socket.writableLength > 4 << 20) return;
        socket.write(round === 0 ? start : round % 2 === 0 ? part : large);
      });
      closeAll(sockets);
      return undefined;
    },
  },
  {
    name: 'half a handshake of a WebSocket, and handshakes that are wrong',
    run: async ({ target, channel, scale }) => {
      const sockets = await openMany(target, 200 * scale);
      for (const [i, socket] of sockets.entries()) {
        const text = webSocketRequest(`/live/${channel}.flv`);
        const wrong = [
          text.slice(0, -2),
          text.replace('13', () => '99'),
          text.replace(/Sec-WebSocket-Key: .*/, () => 'Sec-WebSocket-Key: x'),
          text.replace('.flv', () => '.m3u8'),
          text.replace('Host: edge', () => 'Host: edge\r\nOrigin: https://evil.example'),
        ];
        socket.resume().write(wrong[i % wrong.length] ?? text);
      }
      await sleep(2_000);
      closeAll(sockets);
      return undefined;
    },
  },
];
