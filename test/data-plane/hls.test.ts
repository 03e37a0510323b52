import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { createHls, type HlsParts } from '../../src/data-plane/hls.js';
import type { PlayerExchange } from '../../src/http/exchange.js';
import type { Route } from '../../src/http/route.js';
import type { RouteHandler } from '../../src/http/server.js';
import type { ChannelName } from '../../src/model.js';
import { testConfig } from '../support/data-plane.js';

test('HLS that is passed through is asked of the endpoints by each worker, and of no worker', () => {
  const log: string[] = [];
  const passedThrough: RouteHandler = { handle: () => void log.push('the endpoint'), holds: () => false };
  const hls = createHls(testConfig({ hls: { mode: 'passthrough' } }), { passedThrough } as unknown as HlsParts);
  const exchange = {
    failed: ({ code }: { code: string }) => void log.push(code),
    ended() {},
    hop: {},
    edge: { audience: 'peers' },
  } as unknown as PlayerExchange;
  // Of a destroyed connection: an error is counted, and nothing is written.
  const response = { destroyed: true, destroy() {} } as unknown as ServerResponse;
  const route: Route = { kind: 'playlist', channel: 'news' as ChannelName, path: '/live/news', suffix: '', query: '' };
  for (const handler of [hls.own, hls.elsewhere, hls.forPeers]) handler.handle(exchange, route, response);
  assert.deepEqual(log, ['the endpoint', 'the endpoint', 'not_found']);
  assert.deepEqual(hls.describe(), { sessions: [], cache: { objects: 0, bytes: 0 } });
  hls.close();
});
