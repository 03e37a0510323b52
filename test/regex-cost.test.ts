// Text from outside costs time in proportion to its length, whatever it is. Measured is CPU time, which a busy machine does not
// lengthen: for 64 KiB what is linear takes around a millisecond, a long URL a hundred, what is quadratic takes many seconds.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { isTrustedHost } from '../src/admin/host.js';
import { parseOrca } from '../src/balancer/orca.js';
import { select } from '../src/hls/cache/respond.js';
import { parseAttributes } from '../src/hls/playlist/attributes.js';
import { parsePlaylist } from '../src/hls/playlist/parser.js';
import { partitionOf } from '../src/hls/url/cache-key.js';
import { parsePin } from '../src/hls/url/pin.js';
import { parseQuery } from '../src/hls/url/player-query.js';
import { merge, without } from '../src/hls/url/query.js';
import { locate, type Mapping, withPlayerQuery } from '../src/hls/url/rewrite.js';
import { parseVariantPin } from '../src/hls/url/variant-pin.js';
import { accessFields } from '../src/http/access-log.js';
import { clientKey } from '../src/http/client-key.js';
import { isHostValid, isLoop, mayOpenWebSocket, playerHeaders, upstreamHeaders } from '../src/http/headers.js';
import { parseRoute } from '../src/http/route.js';
import type { ServerOrigin, ServiceAddress } from '../src/model.js';
import { parseServiceAddress } from '../src/net-address.js';
import { packageRoot } from '../src/package.js';
import { decode } from '../src/registry/formats/decode.js';
import { parseChannelName } from '../src/registry/names.js';
import { cachePolicy } from '../src/upstream/cache-policy.js';
import { canonicalPath, isSafePath } from '../src/upstream/path.js';
import { redirectTarget } from '../src/upstream/redirect.js';
import { upstreamTarget } from '../src/upstream/target.js';
import { runs } from './support/runs.js';
import { tokensOf } from './support/source-tokens.js';

/** What one input may be long. A quarter is enough to tell the two apart, in a sixteenth of the time. */
const longest = runs(16, 64) * 1024;
/** ms; a multiple of what anything linear takes, a fraction of what anything quadratic does. */
const most = runs(100, 400);

function cpuTime(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** CPU time in ms; the lesser of two where the first is too much, since what the process does beside counts too. */
function cost(work: () => unknown): number {
  const first = cpuTime(work);
  return first < most ? first : Math.min(first, cpuTime(work));
}

const fill = (unit: string, length = longest) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
/** What makes something search again and again: runs of one thing, of two that alternate, a start that has no end. */
function* hostile(units: readonly string[]): Generator<string> {
  for (const unit of units) {
    yield fill(unit);
    yield `${fill(unit)}\u0001`;
    yield `\u0001${fill(unit)}`;
  }
}

const src = join(packageRoot, 'src');
const regexes = (readdirSync(src, { recursive: true }) as string[])
  .filter((name) => /\.(ts|js)$/.test(name))
  .flatMap((name) =>
    tokensOf(readFileSync(join(src, name), 'utf8'))
      .filter(({ kind }) => kind === 'regex')
      .map(({ text, line }) => ({ where: `src/${name}:${line}`, text })),
  );
const common = [
  ' ',
  'a',
  'A',
  '0',
  '"',
  '=',
  ',',
  ';',
  '/',
  '-',
  '.',
  '%',
  ':',
  '\t',
  '\n',
  '\r',
  '_',
  'é',
  ' "',
  'a=',
  ', ',
  'a.',
];

test('no regular expression of the source takes more than its share of time', () => {
  assert.ok(regexes.length > 50, `${regexes.length} found`);
  const always = [...hostile(common)];
  const slow: string[] = [];
  for (const { where, text } of regexes) {
    const end = text.lastIndexOf('/');
    const pattern = new RegExp(text.slice(1, end), text.slice(end + 1));
    // Words that it names get further into it than single characters do.
    const words = text.match(/[a-z]{3,}/gi) ?? [];
    for (const input of [...always, ...hostile([...words, ...words.map((word) => `${word} `)])]) {
      const spent = cost(() => pattern.test(input));
      if (spent < most) continue;
      slow.push(`${where} ${text}: ${Math.round(spent)} ms for ${JSON.stringify(input.slice(0, 20))}…`);
      break;
    }
  }
  assert.deepEqual(slow, []);
});

const keys = { naming: 'weir', signing: 'secret' };
const mapping: Mapping = {
  base: new URL('http://10.0.0.1/live/news.m3u8'),
  home: 'http://10.0.0.1',
  playlistPath: '/live/news.m3u8',
  stem: '/live/news',
  forward: (rest) => `/live/news${rest}`,
  endpoint: 'ABCDEFGH',
  incarnation: '',
  hidden: new Set(['session']),
  keys,
};
const located = { ranged: false, held: false };
const hop = { remoteAddress: '192.0.2.1', requestId: 'r', via: '1.1 weir-x', trustForwarded: true };
const record = {
  id: '',
  method: '',
  protocol: '',
  channel: '',
  endpoint: '',
  status: 0,
  code: '',
  detail: '',
  bytes: 0,
  firstByteSeconds: 0,
};
const node = (text: string) =>
  decode({ name: text.slice(0, 255), level: 'endpoint', data: Buffer.from(text.slice(0, longest)) });
const playlist = (body: string) => `#EXTM3U\n#EXT-X-TARGETDURATION:2\n${body}\n#EXTINF:2,\n7.ts\n`;
const quietly = (read: () => unknown) => () => {
  try {
    return read();
  } catch (error) {
    return error;
  }
};

/** What reads text from outside, with the units of which its worst is made besides the common ones. */
const readers: [name: string, read: (text: string) => unknown, ...units: string[]][] = [
  ['attributes of a tag', (text) => parseAttributes(text), 'A="', 'A= "', 'A="x" ,', '"\t', 'A=x,'],
  [
    'a playlist',
    (text) => parsePlaylist(playlist(text)),
    '#EXTINF:2,\n',
    '#EXT-X-KEY:METHOD=NONE\n',
    '\r\n',
    '#EXT-X-MAP:URI="',
  ],
  ['keys of a playlist', (text) => parsePlaylist(playlist(`#EXT-X-KEY:${text}`)), 'KEYFORMAT="a",', 'URI="', '\t"'],
  [
    'distinct keys',
    (text) => parsePlaylist(playlist(text.replaceAll('@', () => String(Math.random())))),
    '#EXT-X-KEY:KEYFORMAT="@"\n',
  ],
  [
    'a URI of a playlist',
    (text) => locate(text, mapping, located),
    '../',
    'a/',
    '//',
    '%2e/',
    'session=&',
    '?session&',
  ],
  ['the query in a playlist', (text) => withPlayerQuery(`x?\u0001${text}`, text), '\u0001', '?\u0001', '$&'],
  ['a query', (text) => parseQuery(`?${text}`), '&', '_HLS_msn=1&', 'weir=&', 'a&'],
  ['a partition', (text) => partitionOf(text, new Set(['a']), text), '&', 'a=1&', 'b&'],
  ['queries that are merged', (text) => merge(text, without(text, new Set(['b']))), '&', 'a=1&', 'b&'],
  ['a pin', (text) => parsePin(`ABCDEFGH${text}`, keys), '.', '.a', '..r.A'],
  ['the pin of a variant', (text) => parseVariantPin(`m1.${text}`, '/live/news.m3u8', keys), '.', 'm1.'],
  [
    'Cache-Control',
    (text) => cachePolicy({ 'cache-control': text, vary: text, expires: text }, 0, 0),
    'a =',
    'a="',
    'max-age=1,',
  ],
  [
    'Range and validators',
    (text) => select({ method: 'GET', headers: { range: text, 'if-none-match': text } } as never, { etag: '"e"' }, 9),
    'bytes=',
    'W/"',
    '"e",',
  ],
  ['a target', (text) => parseRoute(`/live/${text}`, () => false), '%2e/', '.', '-', '%C3%A4-', 'http://'],
  ['a path', (text) => [isSafePath(text), canonicalPath(text)], '%2', '%41', '/.', '/%2e'],
  [
    'an upstream target',
    (text) =>
      upstreamTarget('http://h:1/a?x={rest}' as ServiceAddress, {
        channel: text,
        path: text,
        suffix: text,
        query: text,
      }),
    '{rest}',
    '$&',
  ],
  [
    'Location',
    (text) => redirectTarget(text, { server: 'http://10.0.0.1:80' as ServerOrigin, path: '/' }),
    '../',
    'http://',
    '@',
    '//',
  ],
  [
    'header fields of a player',
    (text) => upstreamHeaders({ connection: text, 'x-forwarded-for': text, via: text }, hop),
    'x-a,',
    'close,',
  ],
  ['header fields of an origin', (text) => playerHeaders({ connection: text, via: text, vary: text }, hop, {}), 'x-a,'],
  [
    'Host and Via',
    (text) => [
      isHostValid({ rawHeaders: ['host', text], headers: { host: text }, httpVersion: '1.1' } as IncomingMessage),
      isLoop({ via: text }, '1.1 weir-x'),
    ],
    '1.1 weir-',
    '[',
  ],
  ['Origin', (text) => mayOpenWebSocket([], { origin: `http://${text}`, host: text }), 'a.', '@', ':'],
  ['X-Forwarded-For', (text) => clientKey('192.0.2.1', text), ',', '::', ', '],
  ['Host of the API', (text) => isTrustedHost(text, ['.example']), '.', '[', ':', '.example'],
  [
    'a log line',
    (text) => accessFields({ ...record, target: text, durationSeconds: 0, remote: text, agent: text, viewer: text }),
    'http://',
    '//',
    '?',
  ],
  ['a report that comes with an answer', (text) => parseOrca(text), 'TEXT ', 'a=1,', 'JSON {', 'a =', '1e'],
  ['a report as JSON', (text) => parseOrca(`JSON ${text}`), '{"a":', '['],
  ['a registration', node, '{"a":', '10.0.0.1:80,', 'http://', '['],
  ['an address', (text) => parseServiceAddress(text), 'a.', 'a-', '1.', '[:', 'http://'],
  ['the name of a channel', (text) => parseChannelName(text), '.', 'ä'],
];

suite('text from outside costs time in proportion to its length', () => {
  for (const [name, read, ...units] of readers) {
    test(name, () => {
      for (const input of hostile([...common, ...units])) {
        const spent = cost(quietly(() => read(input)));
        assert.ok(spent < most, `${spent} ms for ${JSON.stringify(input.slice(0, 20))}…`);
      }
    });
  }
});

test('the measure tells what is quadratic from what is linear', () => {
  // It need not take the time of the longest to be seen.
  assert.ok(cpuTime(() => / +x/.test(fill(' ', runs(12, 32) * 1024))) > most);
  assert.ok(cpuTime(() => / +x/.test(fill('a'))) < most / 8);
});
