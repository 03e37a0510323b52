// Members are set in the text of a JSON object, and all else in it stays as it is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setMembers } from '../../../src/registry/formats/json-members.js';

const cases: [text: string, values: Record<string, unknown>, expected: string | undefined][] = [
  ['{}', { status: 'draining' }, '{"status":"draining"}'],
  [' { } ', { a: 1 }, ' { "a":1} '],
  ['{"a":1}', { status: 'live' }, '{"a":1,"status":"live"}'],
  ['{"status":"live","a":1}', { status: 'draining' }, '{"status":"draining","a":1}'],
  ['{ "status" : [1,{"x":"}"}] , "a": 1 }', { status: 'off' }, '{ "status" : "off" , "a": 1 }'],
  ['{\n  "a": 1\n}\n', { b: 2 }, '{\n  "a": 1,"b":2\n}\n'],
  // What JavaScript would round, and a key that is there twice: readers take the last.
  ['{"id":12345678901234567890,"a":1,"a":2}', { a: 3 }, '{"id":12345678901234567890,"a":1,"a":3}'],
  ['{"\\u0073tatus":1}', { status: 2 }, '{"\\u0073tatus":2}'],
  ['{"a":"\\"}{","x":{"status":1}}', { status: 2 }, '{"a":"\\"}{","x":{"status":1},"status":2}'],
  ['{"a":-1.5e3,"b":true}', { a: undefined, b: null }, '{"a":-1.5e3,"b":null}'],
  ['[1]', { a: 1 }, undefined],
  ['', { a: 1 }, undefined],
  ['10.0.0.1:80', { a: 1 }, undefined],
];

for (const [text, values, expected] of cases) {
  test(`${JSON.stringify(values)} in ${JSON.stringify(text)}`, () => {
    assert.equal(setMembers(text, values), expected);
  });
}

test('any JSON object reads as before but for what was set', () => {
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const pick = <T>(all: readonly T[]): T => all[random(all.length)] as T;
  const value = (depth: number): unknown => {
    const kind = random(depth > 3 ? 4 : 6);
    if (kind === 4) return Array.from({ length: random(3) }, () => value(depth + 1));
    if (kind === 5) return object(depth + 1);
    return [random(1000) / 7, pick(['', 'a"b', '}{', '\\', '\u2028,']), null, random(2) === 0][kind];
  };
  const object = (depth: number): object =>
    Object.fromEntries(Array.from({ length: random(4) }, () => [pick(['a', 'b', '"', 'status', '}']), value(depth)]));
  for (let i = 0; i < 500; i++) {
    const before = object(0);
    const set = { status: value(2), load: random(10) };
    const after = setMembers(JSON.stringify(before, null, random(3)), set) ?? '';
    assert.deepEqual(JSON.parse(after), JSON.parse(JSON.stringify({ ...before, ...set })));
  }
});
