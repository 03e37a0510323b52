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

test('what is in flight is told where it changed, a server that left among it', () => {
  const states = new EndpointStates(settings);
  const other = 'http://10.0.0.2:80' as ServerOrigin;
  states.acquire(server);
  states.acquire(server);
  states.acquire(other);
  const sorted = () => states.inFlightChanges().sort();
  assert.deepEqual(sorted(), [
    [server, 2],
    [other, 1],
  ]);
  assert.deepEqual(sorted(), []);
  states.release(other);
  states.forget(server);
  assert.deepEqual(sorted(), [
    [server, 0],
    [other, 0],
  ]);
});

test('what others have in flight counts until they say otherwise, also at a server that is not known yet', () => {
  const states = new EndpointStates(settings);
  const other = 'http://10.0.0.2:80' as ServerOrigin;
  states.of(server);
  states.setInFlightElsewhere([[server, 2]], true);
  states.setInFlightElsewhere([[other, 3]], false);
  states.acquire(other);
  const inFlight = () => [states.of(server).inFlight, states.of(other).inFlight];
  assert.deepEqual(inFlight(), [2, 4]);
  states.setInFlightElsewhere([[other, 0]], false);
  assert.deepEqual(inFlight(), [2, 1]);
  states.setInFlightElsewhere([], true);
  assert.deepEqual(inFlight(), [0, 1]);
});
