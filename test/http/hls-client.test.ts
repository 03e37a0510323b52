import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import type { PlayerExchange } from '../../src/http/exchange.js';
import { clientOf } from '../../src/http/hls-client.js';

test('a worker says for whom it asks; a player is not believed who he is', () => {
  const client = (headers: IncomingHttpHeaders, audience: 'players' | 'peers', trustForwarded: boolean) => {
    const hop = { remoteAddress: '192.0.2.1', trustForwarded };
    return clientOf({ request: { headers }, edge: { audience }, hop } as unknown as PlayerExchange);
  };
  const forwarded = { 'x-forwarded-for': '198.51.100.1, 203.0.113.9' };
  assert.equal(client(forwarded, 'players', true), '203.0.113.9');
  assert.equal(client(forwarded, 'players', false), '192.0.2.1');
  assert.equal(client({ 'x-weir-client': '203.0.113.9' }, 'players', true), '192.0.2.1');
  assert.equal(client({ 'x-weir-client': '203.0.113.9' }, 'peers', false), '203.0.113.9');
});
