import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../src/config/nearest.js';

const known = ['listen', 'policy', 'sessionTimeout', 'tokenFile', 'token'];
const cases: [written: string, meant: string | undefined][] = [
  ['listn', 'listen'],
  ['POLICY', 'policy'],
  ['sessiontimeout', 'sessionTimeout'],
  ['session_timeout', 'sessionTimeout'],
  ['tokn', 'token'],
  ['colour', undefined],
  ['', undefined],
  ['x'.repeat(10_000), undefined],
];
for (const [written, meant] of cases) {
  test(`"${written.slice(0, 20)}" is taken for ${meant ?? 'nothing known'}`, () => {
    assert.equal(nearest(written, known), meant);
  });
}
