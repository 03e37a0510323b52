import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { parsePin } from '../../../src/hls/url/pin.js';
import { parseQuery, playlistAsked } from '../../../src/hls/url/player-query.js';
import {
  type LocatedKind,
  locate,
  type Mapping,
  relative,
  suffixOf,
  withPlayerQuery,
} from '../../../src/hls/url/rewrite.js';
import type { ServiceAddress } from '../../../src/model.js';
import { upstreamTarget } from '../../../src/upstream/target.js';
import { runs } from '../../support/runs.js';

const keys = { naming: 'weir', signing: 'a secret' };
const segment = { ranged: false, held: false };

/** What a player without a query of its own reads. */
function uriFor(uri: string, where: Mapping, kind: LocatedKind = segment, query = ''): string | undefined {
  const found = locate(uri, where, kind);
  return found === undefined ? undefined : withPlayerQuery(found.uri, query);
}

/** The mapping of `/live/news<rest>` at an endpoint with that address. */
function mapping(address: string, suffix = '.m3u8', more: Partial<Mapping> = {}): Mapping {
  const stem = '/live/news';
  const forward = (of: string) =>
    upstreamTarget(address as ServiceAddress, { channel: 'news', path: stem + of, suffix: of, query: '' }).path;
  return {
    base: new URL(forward(suffix), 'http://10.0.0.1:8080'),
    home: 'http://10.0.0.1:8080',
    playlistPath: stem + suffix,
    stem,
    forward,
    endpoint: 'ABCDEFGH',
    incarnation: '',
    hidden: new Set(),
    keys,
    ...more,
  };
}

const bare = '10.0.0.1:8080';
const withPath = 'http://10.0.0.1:8080/a/b';
const template = 'http://10.0.0.1:8080/x/{channel}/hls{rest}';

const places: [name: string, address: string, suffix: string, uri: string, expected: string][] = [
  ['beside the playlist', bare, '.m3u8', 'news-12.ts', 'news-12.ts?weir=ABCDEFGH'],
  ['below the channel', bare, '/index.m3u8', '12.ts', '12.ts?weir=ABCDEFGH'],
  ['below a playlist', bare, '/720/index.m3u8', '../audio/12.aac', '../audio/12.aac?weir=ABCDEFGH'],
  ['an absolute path', bare, '.m3u8', '/live/news/12.ts', 'news/12.ts?weir=ABCDEFGH'],
  ['an absolute URI', bare, '.m3u8', 'http://10.0.0.1:8080/live/news-1.ts', 'news-1.ts?weir=ABCDEFGH'],
  ['with a query of its own', bare, '.m3u8', 'news-1.ts?sig=%41', 'news-1.ts?weir=ABCDEFGH&sig=%41'],
  ['at an address with a path', withPath, '.m3u8', 'b-12.ts', 'news-12.ts?weir=ABCDEFGH'],
  ['below an address with a path', withPath, '/i.m3u8', '12.ts', '12.ts?weir=ABCDEFGH'],
  ['at a template', template, '/i.m3u8', '12.ts', '12.ts?weir=ABCDEFGH'],
];
for (const [name, address, suffix, uri, expected] of places) {
  test(`a segment is found under the channel: ${name}`, () => {
    assert.equal(uriFor(uri, mapping(address, suffix)), expected);
  });
}

const elsewhere: [name: string, address: string, uri: string, original: string][] = [
  ['a name of its own beside the playlist', bare, 'seg12.ts', '/live/seg12.ts'],
  ['another directory', bare, '/media/12.ts', '/media/12.ts'],
  ['beside an address with a path', withPath, 'seg12.ts?x=1', '/a/seg12.ts'],
];
for (const [name, address, uri, original] of elsewhere) {
  test(`where no URL of the channel leads, the pin carries the path: ${name}`, () => {
    const found = locate(uri, mapping(address), segment);
    assert.ok(found !== undefined);
    assert.match(found.target, /^\/live\/news\/(seg)?12\.ts\?/);
    const pin = parsePin(new URLSearchParams(found.target.split('?')[1]).get('weir') ?? '', keys);
    assert.equal(pin?.original, original);
  });
}

test('what lies where the endpoint redirected its playlist to is led through the edge, the pin carries its URL', () => {
  const redirected = mapping(bare, '.m3u8', { base: new URL('http://10.9.9.9:81/cdn/index.m3u8?t=1') });
  for (const [uri, original] of [
    ['seg-12.ts?sig=1', 'http://10.9.9.9:81/cdn/seg-12.ts'],
    ['//10.9.9.9:81/x/seg-12.ts', 'http://10.9.9.9:81/x/seg-12.ts'],
  ] as const) {
    const found = locate(uri, redirected, segment);
    const pin = parsePin(new URLSearchParams(found?.target.split('?')[1]).get('weir') ?? '', keys);
    assert.equal(pin?.original, original);
    assert.match(found?.target ?? '', /^\/live\/news\/seg-12\.ts\?weir=/);
  }
  assert.equal(uriFor('http://10.0.0.1:8080/live/news-1.ts', redirected), 'news-1.ts?weir=ABCDEFGH');
  assert.equal(locate('http://10.1.1.1/1.ts', redirected, segment), undefined);
});

test('what is not at the endpoint stays as it is', () => {
  for (const uri of [
    'https://cdn.example/1.ts',
    'data:text/plain,x',
    'skd://key',
    'http://10.0.0.1:81/x',
    'http://[',
  ]) {
    assert.equal(locate(uri, mapping(bare), segment), undefined, uri);
  }
});

test('parameters of the edge itself never reach a player', () => {
  const hidden = mapping(bare, '.m3u8', { hidden: new Set(['hls_ctx']) });
  assert.equal(uriFor('news-1.ts?hls_ctx=x&a=1', hidden), 'news-1.ts?weir=ABCDEFGH&a=1');
});

test('a variant is not pinned to the endpoint: it says where it is listed, signed with the very URL that is listed', () => {
  const variant = { multivariant: '/index.m3u8', index: 3 };
  const found = locate('news/720%7e.m3u8?q=1&weir=x', mapping(bare), { variant });
  assert.ok(found !== undefined);
  assert.match(withPlayerQuery(found.uri, 't=1'), /^news\/720~\.m3u8\?t=1&weir=m3\.[^&]*&q=1$/);
  const asked = (query: string, suffix = '/720~.m3u8') => playlistAsked(parseQuery(query), '/live/news', suffix, keys);
  const [, pin = ''] = /weir=([^&]*)/.exec(found.target) ?? [];
  assert.deepEqual(asked(`?t=1&weir=${pin}&q=1`), {
    own: 't=1',
    suffix: '/720~.m3u8',
    pin,
    variant,
    originQuery: 'q=1',
  });
  const strangers = [
    asked(`?weir=${pin}&q=2`),
    asked(`?weir=${pin}&q=1`, '/other.m3u8'),
    asked(`?weir=${pin.replace('m3', 'm4')}&q=1`),
    asked(`?weir=m3.${Buffer.from('/%2e%2e/x.m3u8').toString('base64url')}&q=1`),
    asked('?weir=&q=1'),
    asked('?weir=ABCDEFGH&q=1'),
  ];
  for (const { own, variant: none, pin: empty, originQuery } of strangers) {
    assert.deepEqual([none, empty, originQuery], [undefined, '', '']);
    assert.match(own, /^q=[12]$/, 'what a player made up sets it apart');
  }
});

test("the player's own query stands before the pin", () => {
  assert.equal(uriFor('news-1.ts?a=1', mapping(bare), segment, 'token=x'), 'news-1.ts?token=x&weir=ABCDEFGH&a=1');
});

test('a query is put into a playlist as it is, whatever it means to others', () => {
  const found = locate('news-1.ts', mapping(bare), segment);
  assert.ok(found !== undefined);
  const text = `#EXTM3U\n${found.uri}\n${found.uri}\n`;
  for (const query of ["a=$'", 'a=$`', 'a=$&', 'a=$$', 'a=$1', 'a=$<x>']) {
    const uri = `news-1.ts?${query}&weir=ABCDEFGH`;
    assert.equal(withPlayerQuery(text, query), `#EXTM3U\n${uri}\n${uri}\n`);
  }
});

test('a query makes a playlist longer by itself for each URI, and by 8 MiB at most', () => {
  const line = `${locate('news-1.ts', mapping(bare), segment)?.uri}\n`;
  const query = `token=${'x'.repeat(2000)}`;
  const plain = withPlayerQuery(line.repeat(4000), '');
  assert.equal(withPlayerQuery(line.repeat(4000), query).length, plain.length + 4000 * (query.length + 1));
  assert.throws(() => withPlayerQuery(line.repeat(5000), query), { code: 'uri_too_long' });
  assert.equal(withPlayerQuery(line.repeat(5000), '').length, (plain.length / 4000) * 5000);
});

test('another life and flags are in the pin', () => {
  const isRestarted = mapping(bare, '.m3u8', { incarnation: 'k3' });
  assert.equal(uriFor('news-1.ts', isRestarted, { ranged: true, held: true }), 'news-1.ts?weir=ABCDEFGH.k3.rh');
});

test('a name that comes round stands for another object under another number', () => {
  const uri = (name: string, number: number) => uriFor(name, mapping(bare, '/i.m3u8'), { ...segment, number });
  assert.equal(uri('12.ts', 12), '12.ts?weir=ABCDEFGH', 'most packagers count in the name');
  assert.equal(uri('seg-00012.ts?n=3', 12), 'seg-00012.ts?weir=ABCDEFGH&n=3');
  const names = ['3.ts', 'a12-3b.ts', 'live.ts', `${'1'.repeat(20)}.ts`, '%2012.ts'];
  for (const name of names) {
    const uris = [2, 3, 12, 2012].map((number) => uri(name, number));
    assert.equal(new Set(uris).size, 4, name);
  }
  assert.equal(uri('live.ts', 0), 'live.ts?weir=ABCDEFGH..0');
  const init = (discontinuity: number) => uriFor('init.mp4', mapping(bare, '/i.m3u8'), { ...segment, discontinuity });
  assert.equal(init(0), 'init.mp4?weir=ABCDEFGH');
  assert.equal(init(3), 'init.mp4?weir=ABCDEFGH..3', 'behind a discontinuity it may be another one');
});

test('no path of an origin leads a player out of the channel', () => {
  for (const uri of [
    '/../../etc/passwd',
    '//10.0.0.1:8080//x',
    '%2e%2e/x',
    '..%2fx',
    'a\\b',
    '/live/newsroom-1.ts',
    '/',
  ]) {
    const found = locate(uri, mapping(bare), segment);
    if (found !== undefined) assert.match(found.target, /^\/live\/news[/._-]/, uri);
  }
});

suite('relative references', () => {
  const cases: [from: string, to: string, expected: string][] = [
    ['/live/news.m3u8', '/live/news-1.ts', 'news-1.ts'],
    ['/live/news.m3u8', '/live/news/1.ts', 'news/1.ts'],
    ['/live/news/720/i.m3u8', '/live/news/1.ts', '../1.ts'],
    ['/live/news.m3u8', '/other/1.ts', '/other/1.ts'],
    ['/live/news.m3u8', '/live/a:b.ts', './a:b.ts'],
  ];
  for (const [from, to, expected] of cases) {
    test(`${from} to ${to}`, () => {
      assert.equal(relative(from, to), expected);
      assert.equal(new URL(expected, `http://h${from}`).pathname, to);
    });
  }
});

test('restOf finds what the endpoint would map to that path', () => {
  assert.equal(suffixOf('/a/b-12.ts', mapping(withPath)), '-12.ts');
  assert.equal(suffixOf('/x/news/hls/1.ts', mapping(template)), '/1.ts');
  assert.equal(suffixOf('/a/bc', mapping(withPath)), undefined);
});

test('a name beside the playlist leads where any other way to write it leads', () => {
  const name = fc.stringMatching(/^[\w.~-]{1,12}$/);
  const rests = fc.constantFrom('.m3u8', '/index.m3u8', '/a/b/index.m3u8', '-low.m3u8');
  fc.assert(
    fc.property(name, rests, fc.constantFrom(bare, withPath, template), (uri, suffix, address) => {
      const where = mapping(address, suffix);
      assert.deepEqual(locate(uri, where, segment), locate(`./${uri}`, where, segment));
    }),
    { numRuns: runs(200) },
  );
});

suite('a reference to a variable', () => {
  const cases: [name: string, uri: string, expected: string][] = [
    ['in the path', '{$dir}/12.ts', '{$dir}/12.ts?weir=ABCDEFGH'],
    ['in a name', 'seg-{$a_b-1}.{$x}', 'seg-{$a_b-1}.{$x}?weir=ABCDEFGH'],
    ['in the query', '12.ts?t={$token}', '12.ts?weir=ABCDEFGH&t={$token}'],
  ];
  for (const [name, uri, expected] of cases) {
    test(`${name} is left for players, and nobody else asks for it`, () => {
      const where = mapping(bare, '/index.m3u8');
      assert.equal(uriFor(uri, where), expected);
      assert.equal(locate(uri, where, segment)?.variable, true);
    });
  }

  test('where no URL of the channel leads stays as it is', () => {
    assert.equal(locate('/media/{$dir}/12.ts', mapping(bare), segment), undefined);
  });

  test('of a variant stays as it is, since what is signed is not what players ask for', () => {
    const kind = { variant: { multivariant: '/index.m3u8', index: 0 } };
    assert.equal(locate('{$dir}/low.m3u8', mapping(bare, '/index.m3u8'), kind), undefined);
  });

  test('is no reference when it is encoded, or half of one', () => {
    const where = mapping(bare, '/index.m3u8');
    assert.equal(locate('%7B$dir%7D/12.ts', where, segment)?.variable, false);
    assert.equal(locate('{$dir/12.ts', where, segment)?.variable, false);
  });
});
