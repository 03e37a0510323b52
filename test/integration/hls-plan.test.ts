// Two edges with a real ZooKeeper: a strict player that goes to the other edge with every request sees one presentation.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlanStage } from '../support/plan-stage.js';

test('two edges show one presentation while an endpoint goes, an origin dies and an edge is started anew', async (t) => {
  const stage = await PlanStage.start({ workers: 1, segmentSeconds: 1, origins: 3 });
  t.after(() => stage.close());
  const { client } = stage;
  stage.play();
  await stage.seen(3);
  const first = stage.present;
  await stage.unregister(first);
  await stage.seen(3);
  const second = stage.present;
  assert.notEqual(second.name, first.name);
  second.status = 503;
  await stage.seen(3);
  const third = stage.present;
  assert.notEqual(third.name, second.name);
  await stage.restart(0);
  await stage.seen(3);
  await stage.rest();
  assert.deepEqual(client.faults, []);
  assert.deepEqual(client.skipped, []);
  assert.equal(client.known.get(client.highest)?.discontinuitySequence, 2);
});
