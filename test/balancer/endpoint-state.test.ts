import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EndpointStates } from '../../src/balancer/endpoint-state.js';
import type { ServerOrigin } from '../../src/model.js';

const server = 'http://10.0.0.1:80' as ServerOrigin;
const settings = { consecutiveFailures: 1, baseEjection: 30_000, maxEjection: 300_000 };

test('a pick that ends after its server left brings nothing back of that server', () => {
  const states = new EndpointStates(settings);
  states.acquire(server);
  states.forget(server);
  states.succeeded(server, 0);
  states.release(server);
  assert.equal(states.failed(server, 0), false);
  assert.equal(states.size, 0);
});
