import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NameClash } from '../../src/fleet/name-clash.js';

const own = { name: 'a', run: '00000001' };
const other = { name: 'a', run: '00000002' };
const timeoutMs = 8_000;

function setUp() {
  const said: boolean[] = [];
  return { said, clash: new NameClash(own, (isThere) => said.push(isThere)) };
}

test('two edges of one name are said once, and that it is over once', () => {
  const { said, clash } = setUp();
  for (let now = 0; now <= 60_000; now += 1_000) clash.seen([own, other], now, timeoutMs);
  assert.deepEqual(said, [true]);
  for (let now = 61_000; now <= 90_000; now += 1_000) clash.seen([own], now, timeoutMs);
  assert.deepEqual(said, [true, false]);
});

test('the node that a killed edge left behind is no clash', () => {
  const { said, clash } = setUp();
  for (let now = 0; now <= 10_000; now += 1_000) clash.seen([own, other], now, timeoutMs);
  clash.seen([own], 11_000, timeoutMs);
  clash.seen([own, { name: 'a', run: '00000003' }], 60_000, timeoutMs);
  clash.seen([own, { name: 'a', run: '00000003' }], 70_000, timeoutMs);
  assert.deepEqual(said, []);
});

test('edges of other names are none of it', () => {
  const { said, clash } = setUp();
  for (let now = 0; now <= 60_000; now += 1_000) clash.seen([own, { name: 'b', run: '00000002' }], now, timeoutMs);
  assert.deepEqual(said, []);
});
