import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlaneSettings } from '../../src/data-plane/plane-config.js';
import { testConfig } from '../support/data-plane.js';

test('with edges: auto the number is that of the fleet, as if it had been told', () => {
  const settings = new PlaneSettings(testConfig());
  const { balancer } = settings.config;
  assert.equal(balancer.edges, 1);
  settings.setEdges(20);
  assert.deepEqual(balancer, testConfig({ balancer: { edges: 20 } }).balancer);
});

test('a number in the settings is used whatever the fleet says, and a reload may go back to auto', () => {
  const settings = new PlaneSettings(testConfig({ balancer: { edges: 3 } }));
  const { balancer } = settings.config;
  settings.setEdges(20);
  assert.equal(balancer.edges, 3);
  settings.configure(testConfig({ balancer: { lossWeight: 7 } }));
  assert.deepEqual([balancer.edges, balancer.lossWeight], [20, 7]);
  settings.configure(testConfig({ balancer: { edges: 4 } }));
  assert.equal(balancer.edges, 4);
});

test('what it was given stays as it was', () => {
  const given = testConfig();
  const settings = new PlaneSettings(given);
  settings.setEdges(20);
  settings.configure(testConfig({ log: { requests: true } }));
  assert.equal(given.balancer.edges, 'auto');
  assert.equal(given.log.requests, false);
});
