import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionsOf, renewed } from '../../../src/hls/cache/conditional.js';

test('a stored copy is asked about by the validators that it has', () => {
  assert.deepEqual(conditionsOf(undefined), {});
  assert.deepEqual(conditionsOf({ 'content-type': 'video/mp2t' }), {});
  const validators = { etag: '"1"', 'last-modified': 'Sat, 21 Nov 2026 00:00:00 GMT' };
  assert.deepEqual(conditionsOf(validators), {
    'if-none-match': '"1"',
    'if-modified-since': 'Sat, 21 Nov 2026 00:00:00 GMT',
  });
});

test('a 304 renews what it says, but for what describes the body', () => {
  const stored = { 'content-length': '5', 'content-type': 'video/mp2t', age: '9', etag: '"1"' };
  const by304 = { 'content-length': '0', 'content-type': 'text/html', age: '1', 'cache-control': 'max-age=2' };
  assert.deepEqual(renewed(stored, by304), {
    'content-length': '5',
    'content-type': 'video/mp2t',
    age: '1',
    etag: '"1"',
    'cache-control': 'max-age=2',
  });
});
