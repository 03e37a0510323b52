import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assignInPlace } from '../../src/config/assign.js';

test('settings are written into those that parts refer to, lists and what is no longer set among them', () => {
  const running = { outer: { inner: { a: 1 }, list: ['x'], secret: 'old' as string | undefined } };
  const { outer } = running;
  const { inner } = outer;
  assignInPlace(running, { outer: { inner: { a: 2 }, list: ['y', 'z'] } });
  assert.deepEqual([inner.a, outer.list, outer.secret], [2, ['y', 'z'], undefined]);
  assert.equal(running.outer, outer);
});
