import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { ageSecondsOf, cachePolicy, parseCacheControl } from '../../src/upstream/cache-policy.js';

const now = Date.UTC(2026, 0, 1);
const http = (time: number) => new Date(time).toUTCString();
const forever = Number.POSITIVE_INFINITY;

const cases: [name: string, headers: IncomingHttpHeaders, storable: boolean, freshForMs: number, stale: number][] = [
  ['nothing said', {}, true, forever, 5000],
  ['no-store', { 'cache-control': 'max-age=10, no-store' }, false, 0, 0],
  ['private', { 'cache-control': 'Private' }, false, 0, 0],
  ['varies by everything', { vary: '*' }, false, 0, 0],
  ['varies by Origin', { vary: 'Origin' }, true, forever, 5000],
  ['no-cache', { 'cache-control': 'no-cache' }, true, 0, 0],
  ['Pragma', { pragma: 'no-cache' }, true, 0, 5000],
  ['Pragma beside Cache-Control', { pragma: 'no-cache', 'cache-control': 'max-age=3' }, true, 3000, 5000],
  ['max-age', { 'cache-control': 'max-age=3' }, true, 3000, 5000],
  ['s-maxage wins', { 'cache-control': 'max-age=3, s-maxage=9' }, true, 9000, 0],
  ['Age counts', { 'cache-control': 'max-age=3', age: '2' }, true, 1000, 5000],
  ['older than its age', { 'cache-control': 'max-age=3', age: '20' }, true, 0, 5000],
  ['a lifetime that is none', { 'cache-control': 'max-age=soon' }, true, 0, 5000],
  ['quoted', { 'cache-control': 'max-age="3"' }, true, 3000, 5000],
  ['Expires', { expires: http(now + 4000), date: http(now + 1000) }, true, 3000, 5000],
  ['Expires without Date', { expires: http(now + 4000) }, true, 4000, 5000],
  ['Expires 0', { expires: '0' }, true, 0, 5000],
  ['must-revalidate', { 'cache-control': 'max-age=3, must-revalidate' }, true, 3000, 0],
  ['stale-if-error', { 'cache-control': 'max-age=3, stale-if-error=2' }, true, 3000, 2000],
  ['stale-if-error beyond the bound', { 'cache-control': 'max-age=3, stale-if-error=900' }, true, 3000, 5000],
  ['a huge number', { 'cache-control': 'max-age=99999999999999999999' }, true, 2 ** 31 * 1000, 5000],
];
for (const [name, headers, storable, freshForMs, staleIfErrorMs] of cases) {
  test(`a response is used again as its header allows: ${name}`, () => {
    assert.deepEqual(cachePolicy(headers, now, 5000), { storable, freshForMs, staleIfErrorMs });
  });
}

test('the first of two directives counts', () => {
  assert.equal(parseCacheControl('max-age=1, MAX-AGE=2').get('max-age'), '1');
});

test('the age is what the origin told and what passed since, and nonsense counts for nothing', () => {
  assert.equal(ageSecondsOf({ age: '100' }, 2500), 102);
  assert.equal(ageSecondsOf({ age: 'old' }, 2500), 2);
  assert.equal(ageSecondsOf({ age: '99999999999' }, 0), 0);
  assert.equal(ageSecondsOf(undefined, -1), 0);
});
