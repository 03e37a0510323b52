import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acceptableRequestId,
  corsHeaders,
  isLoop,
  mayOpenWebSocket,
  playerHeaders,
  upstreamHeaders,
} from '../../src/http/headers.js';

const hop = { remoteAddress: '192.0.2.1', requestId: 'id-1', via: '1.1 weir-x', trustForwarded: false };

test('hop-by-hop fields, and those that Connection names, do not reach the endpoint', () => {
  const out = upstreamHeaders(
    {
      connection: 'close, X-Secret-Hop',
      'x-secret-hop': '1',
      'keep-alive': 'timeout=5',
      te: 'trailers',
      trailer: 'X',
      'transfer-encoding': 'chunked',
      upgrade: 'h2c',
      'proxy-authorization': 'Basic x',
      host: 'edge',
      expect: '100-continue',
      range: 'bytes=0-1',
      'if-none-match': '"a"',
      cookie: 'a=b',
    },
    hop,
  );
  assert.deepEqual(out, {
    range: 'bytes=0-1',
    'if-none-match': '"a"',
    cookie: 'a=b',
    'x-forwarded-for': '192.0.2.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'edge',
    'x-request-id': 'id-1',
    via: '1.1 weir-x',
  });
});

test("a player's own X-Forwarded-For is not believed, a trusted proxy's is extended", () => {
  const headers = {
    'x-forwarded-for': '203.0.113.9',
    'x-forwarded-proto': 'https',
    'x-forwarded-port': '1',
    'x-forwarded-prefix': '/admin',
    'x-real-ip': '203.0.113.9',
    forwarded: 'for=1',
  };
  assert.equal(upstreamHeaders(headers, hop)['x-forwarded-for'], '192.0.2.1');
  assert.equal(upstreamHeaders(headers, hop)['x-forwarded-proto'], 'http');
  assert.deepEqual(Object.keys(upstreamHeaders(headers, hop)).sort(), [
    'via',
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-request-id',
  ]);
  const trusted = upstreamHeaders(headers, { ...hop, trustForwarded: true });
  assert.equal(trusted['x-forwarded-for'], '203.0.113.9, 192.0.2.1');
  assert.equal(trusted['x-forwarded-proto'], 'https');
  assert.equal(trusted['x-real-ip'], '203.0.113.9');
});

test('Via grows by one entry in both directions', () => {
  assert.equal(upstreamHeaders({ via: '1.0 fred' }, hop)['via'], '1.0 fred, 1.1 weir-x');
  assert.equal(playerHeaders({ via: '1.1 origin' }, hop, undefined)['via'], '1.1 origin, 1.1 weir-x');
});

test('hop-by-hop fields of an answer do not reach the player, its content fields do', () => {
  const out = playerHeaders(
    {
      connection: 'keep-alive, x-hop',
      'x-hop': '1',
      'transfer-encoding': 'chunked',
      'content-type': 'video/mp2t',
      'set-cookie': ['a=1', 'b=2'],
      etag: '"e"',
    },
    hop,
    undefined,
  );
  assert.deepEqual(out, {
    'content-type': 'video/mp2t',
    'set-cookie': ['a=1', 'b=2'],
    etag: '"e"',
    'x-request-id': 'id-1',
    via: '1.1 weir-x',
  });
});

test("weir's CORS fields replace the endpoint's; without any of its own the endpoint's pass", () => {
  const answer = { 'access-control-allow-origin': 'https://other', vary: 'Accept-Encoding' };
  const cors = corsHeaders(['https://tv.example'], 'https://tv.example');
  const out = playerHeaders(answer, hop, cors);
  assert.equal(out['access-control-allow-origin'], 'https://tv.example');
  assert.equal(out['vary'], 'Accept-Encoding, Origin');
  assert.equal(playerHeaders(answer, hop, undefined)['access-control-allow-origin'], 'https://other');
});

test('CORS: any origin, a listed one, another one, none configured', () => {
  assert.equal(corsHeaders(['*'], undefined)?.['access-control-allow-origin'], '*');
  assert.equal(corsHeaders(['https://a'], 'https://a')?.['access-control-allow-origin'], 'https://a');
  assert.deepEqual(corsHeaders(['https://a'], 'https://evil'), { vary: 'Origin' });
  assert.equal(corsHeaders([], 'https://a'), undefined);
});

test('a WebSocket is held to the list for CORS: pages elsewhere need an entry, programs and the same host none', () => {
  const listed = ['https://tv.example'];
  const cases: [allowed: readonly string[], origin: string | undefined, host: string | undefined, may: boolean][] = [
    [['*'], 'https://evil.example', 'edge', true],
    [listed, 'https://tv.example', 'edge', true],
    [listed, 'https://evil.example', 'edge', false],
    [listed, 'http://tv.example', 'edge', false],
    [listed, 'null', 'edge', false],
    [listed, undefined, 'edge', true],
    [[], 'https://evil.example', 'edge', false],
    // A proxy in front ends TLS.
    [[], 'https://edge.example', 'edge.example', true],
    [[], 'https://edge.example', 'Edge.example:443', true],
    [[], 'http://edge.example:8080', 'edge.example:8080', true],
    [[], 'http://edge.example:8081', 'edge.example:8080', false],
    [[], 'http://edge.example', undefined, false],
  ];
  for (const [allowed, origin, host, may] of cases) {
    const headers = { ...(origin === undefined ? {} : { origin }), ...(host === undefined ? {} : { host }) };
    assert.equal(mayOpenWebSocket(allowed, headers), may, `${allowed} ${origin} ${host}`);
  }
});

test('a loop is seen by the name of this edge in Via', () => {
  assert.equal(isLoop({ via: '1.1 weir-y, 1.1 weir-x' }, '1.1 weir-x'), true);
  assert.equal(isLoop({ via: '1.1 weir-y' }, '1.1 weir-x'), false);
  assert.equal(isLoop({}, '1.1 weir-x'), false);
});

test('a request id is repeated only when it is harmless', () => {
  assert.equal(acceptableRequestId('abc-123'), 'abc-123');
  for (const bad of ['', 'a b', 'x'.repeat(129), '"', undefined, ['a', 'b']]) {
    assert.equal(acceptableRequestId(bad), undefined);
  }
});
