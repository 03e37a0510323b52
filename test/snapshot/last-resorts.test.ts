import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LastResorts } from '../../src/snapshot/last-resorts.js';
import { endpoint } from '../support/data-plane.js';

test('the first to expire is known among 150,000 as among one', () => {
  const resorts = new LastResorts({ keep: 1_000 });
  const one = endpoint('c', '10.0.0.1:80', { lastResort: true });
  for (let i = 0; i < 150_000; i++) resorts.keep({ ...one, id: `${i}` as typeof one.id }, i);
  assert.equal(resorts.first, 1_000);
  assert.equal(resorts.expired(1_009).length, 10);
});

test('one that is kept anew expires after the others', () => {
  const resorts = new LastResorts({ keep: 1_000 });
  const [a, b] = [endpoint('c', '10.0.0.1:80'), endpoint('c', '10.0.0.2:80')];
  resorts.keep(a, 0);
  resorts.keep(b, 1);
  resorts.keep(a, 2);
  assert.deepEqual(resorts.expired(1_001), [b.id]);
});

test('the same server in the same channel is found, and only that', () => {
  const resorts = new LastResorts({ keep: 1_000 });
  const kept = endpoint('c', '10.0.0.1:80');
  resorts.keep(kept, 0);
  assert.equal(resorts.replacedBy(endpoint('c', '10.0.0.1:80', { load: 0.9 })), kept.id);
  assert.equal(resorts.replacedBy(endpoint('d', '10.0.0.1:80')), undefined);
  resorts.release(kept);
  assert.equal(resorts.replacedBy(kept), undefined);
  assert.equal(resorts.first, undefined);
});
