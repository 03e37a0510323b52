import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WeirError } from '../../src/errors.js';
import { createMetrics } from '../../src/metrics.js';
import type { ServerOrigin } from '../../src/model.js';
import { countRetries, Trail } from '../../src/upstream/trail.js';
import { metricValue } from '../support/data-plane.js';

const server = (name: string) => `http://${name}` as ServerOrigin;

/** A trail through these servers; what counts as a retry is in `retried`. */
function trailOf(...names: string[]) {
  const retried: string[] = [];
  const choose = () => {
    const name = names.shift();
    if (name === undefined) throw new WeirError('no_endpoint');
    return { server: server(name) };
  };
  return { trail: new Trail(choose, ({ code }) => retried.push(code)), retried };
}

test('a retry counts when another server is there to try, under what failed', () => {
  const { trail, retried } = trailOf('a', 'b');
  trail.next();
  assert.deepEqual(retried, []);
  trail.leave(server('a'), new WeirError('upstream_cut'));
  assert.deepEqual(retried, []);
  trail.next();
  assert.deepEqual(retried, ['upstream_cut']);
  trail.leave(server('b'), new WeirError('upstream_connect'));
  assert.throws(() => trail.next(), { code: 'no_endpoint' });
  assert.deepEqual(retried, ['upstream_cut']);
  assert.deepEqual(trail.failed, [server('a'), server('b')]);
});

test('to try the same server again, or another one without a failure, is no retry', () => {
  const { trail, retried } = trailOf('a', 'a', 'b');
  trail.next();
  trail.leave(server('a'), new WeirError('worker_lost'));
  trail.next();
  trail.leave(server('a'), undefined);
  trail.next();
  assert.deepEqual(retried, []);
  assert.deepEqual(trail.failed, [server('a')]);
});

test('retries are counted by the code of what failed', async () => {
  const metrics = createMetrics({ process: false });
  countRetries(metrics)(new WeirError('upstream_cut'));
  assert.equal(await metricValue(metrics, 'weir_retries_total', { cause: 'upstream_cut' }), 1);
});
