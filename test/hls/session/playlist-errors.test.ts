import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WeirError } from '../../../src/errors.js';
import { answerableError, asUnavailable, isExpected, isForAsker } from '../../../src/hls/session/playlist-errors.js';
import { RefusedError, StatusError } from '../../../src/hls/session/playlist-loader.js';

test('a player of a playlist is told of a status what a viewer of FLV is told', () => {
  const cases: [number, string][] = [
    [401, 'forbidden'],
    [407, 'forbidden'],
    [404, 'not_found'],
    [410, 'not_found'],
    [429, 'upstream_status'],
    [500, 'upstream_status'],
  ];
  for (const [status, code] of cases) {
    const told = answerableError(new StatusError(status));
    assert.ok(told instanceof WeirError && told.code === code, String(status));
    assert.match(told.message, new RegExp(String(status)));
  }
});

test('what is for the player who asked is told to nobody else', () => {
  assert.ok(isForAsker(new RefusedError(403)));
  assert.ok(isForAsker(new WeirError('bad_request')));
  assert.ok(!isForAsker(new StatusError(403)));
  assert.ok(!isForAsker(new WeirError('upstream_connect')));
});

test('a mistake of this program stays what it is', () => {
  const mistake = new TypeError('x');
  assert.equal(answerableError(mistake), mistake);
  assert.ok(!isExpected(mistake) && !isExpected(new WeirError('internal')));
  assert.ok(isExpected(new StatusError(500)) && isExpected(new WeirError('upstream_cut')));
  assert.equal(asUnavailable(mistake).code, 'internal');
});

test('why an endpoint gave nothing is all the same to a player who may try again', () => {
  for (const error of [new StatusError(404), new WeirError('upstream_cut'), new WeirError('no_endpoint')]) {
    assert.equal(asUnavailable(error).code, 'no_endpoint');
  }
  assert.equal(asUnavailable(new WeirError('sessions_full')).code, 'sessions_full');
});
