import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeLines, documentChanges } from '../../src/config/document-changes.js';

test('settings that are new, gone or different are told by key, whatever the YAML looks like', () => {
  const before = 'balancer:\n  policy: p2c\n  tieBand: 0.1\nlog: {level: warn}\n';
  const after = 'log:\n  level: warn # as before\nbalancer: {policy: random}\nhls: {grace: 7s}\n';
  assert.deepEqual(changeLines(documentChanges(before, after)), [
    '- balancer.policy: "p2c"',
    '+ balancer.policy: "random"',
    '- balancer.tieBand: 0.1',
    '+ hls.grace: "7s"',
  ]);
  assert.deepEqual(documentChanges(before, before), []);
});

test('what may not stand there is not shown', () => {
  assert.deepEqual(documentChanges('', 'hls: {pinSecret: correct-horse}\n'), []);
});
