import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, WeirError } from '../../../src/errors.js';
import { type Consequence, consequenceOf } from '../../../src/hls/session/blame.js';
import type { Tokens } from '../../../src/hls/session/player-tokens.js';

const stay: Consequence = { leave: false, outcome: 'abandoned' };
const leave: Consequence = { leave: true, outcome: 'abandoned' };
const blame: Consequence = { leave: true, outcome: 'bad_status' };

const statuses: [status: number, expected: Record<Tokens, Consequence>][] = [
  [401, { none: leave, lent: stay, own: stay }],
  [403, { none: leave, lent: stay, own: stay }],
  [400, { none: leave, lent: stay, own: stay }],
  [404, { none: blame, lent: leave, own: leave }],
  [410, { none: blame, lent: leave, own: leave }],
  [500, { none: blame, lent: leave, own: leave }],
  [503, { none: blame, lent: blame, own: blame }],
  [429, { none: leave, lent: leave, own: leave }],
  [204, { none: blame, lent: leave, own: leave }],
];
for (const [status, expected] of statuses) {
  test(`${status} where there was a playlist or a segment: who leaves, and who is blamed`, () => {
    for (const tokens of ['none', 'lent', 'own'] as const) {
      assert.deepEqual(consequenceOf(status, tokens), expected[tokens], tokens);
    }
  });
}

test('an endpoint that cannot be reached is left and blamed; our own shortage and a bad request move nobody', () => {
  const of = (code: ErrorCode) => consequenceOf(new WeirError(code), 'own');
  assert.deepEqual(of('upstream_connect'), { leave: true, outcome: 'connect_error' });
  assert.deepEqual(of('upstream_idle_timeout'), { leave: true, outcome: 'stall' });
  assert.deepEqual(of('address_refused'), leave);
  for (const code of ['upstream_busy', 'exhausted', 'internal', 'bad_request', 'client_gone'] as const) {
    assert.deepEqual(of(code), stay, code);
  }
});
