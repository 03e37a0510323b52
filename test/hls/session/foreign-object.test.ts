import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ForeignRequest, foreignObject } from '../../../src/hls/session/foreign-object.js';

const keys = { naming: 'test', signing: 'test' };
const unkeyed: ReadonlySet<string> = new Set(['token']);
const of = (query: string, more: Partial<ForeignRequest> = {}) =>
  foreignObject(
    { path: '/live/news/1.ts', query, authorization: undefined, range: 'bytes=0-3', ...more },
    unkeyed,
    keys,
  );

test('players share what their queries and credentials do not set apart', () => {
  assert.equal(of('?weir=AAAAAAAA').key, of('?weir=AAAAAAAA', { range: undefined }).key);
  assert.notEqual(of('?weir=AAAAAAAA').key, of('?own=1&weir=AAAAAAAA').key);
  assert.notEqual(of('?weir=AAAAAAAA').key, of('?weir=AAAAAAAA', { authorization: 'Basic eA==' }).key);
});

test('a token that says nothing about the bytes makes no second object, and is lent', () => {
  const [one, other] = [of('?token=1&weir=AAAAAAAA'), of('?token=2&weir=AAAAAAAA')];
  assert.equal(one.key, other.key);
  assert.deepEqual([one.isLent, of('?weir=AAAAAAAA').isLent], [true, false]);
});

test('the range is a part of the name only where the pin says so', () => {
  const [first, second] = ['bytes=0-3', 'bytes=4-7'].map((range) => of('?weir=AAAAAAAA..r', { range }));
  assert.notEqual(first?.key, second?.key);
  assert.equal(first?.range, 'bytes=0-3');
  assert.equal(of('?weir=AAAAAAAA').range, undefined);
});
