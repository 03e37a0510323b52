import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RootIdentity } from '../../src/registry/root-identity.js';

const stat = (czxid: number) => ({ czxid, ctime: czxid * 1_000 });

test('the first root is read at once, and so is the same one again', () => {
  const root = new RootIdentity(100);
  assert.ok(root.found(stat(1), false, 0) <= 0);
  assert.ok(root.found(stat(1), true, 50) <= 0);
});

test('a root that was made anew is read when origins had time to return, however often it is looked at', () => {
  const root = new RootIdentity(100);
  root.found(stat(1), false, 0);
  assert.equal(root.found(stat(2), true, 1_000), 100);
  assert.equal(root.found(stat(2), true, 1_060), 40);
  assert.ok(root.found(stat(2), true, 1_100) <= 0);
});

test('where nothing is known, nothing can be lost', () => {
  const root = new RootIdentity(100);
  root.found(stat(1), false, 0);
  assert.ok(root.found(stat(2), false, 10) <= 0);
});

test('a root that was missing while something is known is a new one, also with the number of before', () => {
  const root = new RootIdentity(100);
  root.found(stat(1), true, 0);
  root.missing(true);
  assert.equal(root.found(stat(1), true, 10), 100);
  root.missing(false);
  assert.ok(root.found(stat(3), true, 500) <= 0, 'nothing was known when it vanished');
});
