import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, WeirError } from '../../src/errors.js';
import { errorOfStatus, judgeError, judgeStatus, outcomeOf, type Purpose } from '../../src/upstream/judge.js';

/** What is asked of endpoints. */
const purposes: readonly Purpose[] = ['asked', 'held', 'listed', 'stream'];

test('credentials of a player never count against an endpoint, and nobody else is asked with them', () => {
  for (const status of [401, 403, 407]) {
    for (const purpose of purposes) {
      const verdict = judgeStatus(status, purpose);
      assert.deepEqual(verdict, { fault: 'player', failure: undefined, elsewhere: false }, `${status} ${purpose}`);
    }
  }
});

test('what an endpoint listed and does not have is its failure; a made-up name is not', () => {
  const cases: [number, Purpose, string | undefined][] = [
    [404, 'listed', 'bad_status'],
    [410, 'listed', 'bad_status'],
    [500, 'listed', 'bad_status'],
    [404, 'asked', undefined],
    [500, 'asked', undefined],
    [404, 'stream', undefined],
    [500, 'stream', 'bad_status'],
    [429, 'listed', undefined],
    [416, 'listed', undefined],
  ];
  for (const [status, purpose, failure] of cases) {
    assert.equal(judgeStatus(status, purpose).failure, failure, `${status} ${purpose}`);
  }
});

test('a gateway error is the endpoint’s failure whatever was asked', () => {
  for (const status of [502, 503, 504]) {
    for (const purpose of purposes) {
      assert.deepEqual(judgeStatus(status, purpose), { fault: 'origin', failure: 'bad_status', elsewhere: true });
    }
  }
});

test('our own shortage, a full pool and a lost worker are nobody else’s failure', () => {
  const codes: ErrorCode[] = ['exhausted', 'internal', 'upstream_busy', 'worker_lost', 'not_owner', 'draining'];
  for (const code of codes) {
    const verdict = judgeError(new WeirError(code), 'listed');
    assert.equal(verdict.fault, 'ours', code);
    assert.equal(outcomeOf(verdict), 'abandoned', code);
  }
});

test('only an origin’s fault has a failure', () => {
  const codes: ErrorCode[] = ['bad_request', 'forbidden', 'client_gone', 'no_endpoint', 'address_refused'];
  for (const code of codes) assert.equal(judgeError(new WeirError(code), 'asked').failure, undefined, code);
  assert.equal(judgeError(new WeirError('upstream_connect'), 'asked').failure, 'connect_error');
});

test('an endpoint that holds a blocking reload is not too slow', () => {
  const late = new WeirError('upstream_first_byte_timeout');
  assert.equal(judgeError(late, 'asked').failure, 'first_byte_timeout');
  assert.equal(judgeError(late, 'held').failure, undefined);
});

test('a redirect that is not followed may be what one player’s token provokes, or an endpoint’s mistake', () => {
  const refused = new WeirError('upstream_redirect');
  for (const purpose of ['asked', 'held'] as const) {
    assert.deepEqual(judgeError(refused, purpose), { fault: 'player', failure: undefined, elsewhere: true });
  }
  for (const purpose of ['listed', 'stream'] as const) {
    assert.deepEqual(judgeError(refused, purpose), { fault: 'origin', failure: 'bad_response', elsewhere: true });
  }
});

test('another worker is asked again only when it is gone or has lost the channel: it has judged its endpoints itself', () => {
  for (const status of [200, 404, 429, 502, 503]) {
    assert.deepEqual(judgeStatus(status, 'peer'), { fault: 'nobody', failure: undefined, elsewhere: false });
  }
  assert.equal(judgeStatus(421, 'peer').elsewhere, true);
  assert.equal(errorOfStatus(421, 'peer').code, 'worker_lost');
  const cases: [ErrorCode, boolean][] = [
    ['worker_lost', true],
    ['upstream_connect', true],
    ['upstream_connect_timeout', true],
    ['upstream_cut', true],
    ['upstream_first_byte_timeout', false],
    ['upstream_idle_timeout', false],
    ['upstream_busy', false],
    ['exhausted', false],
  ];
  for (const [code, elsewhere] of cases) {
    const verdict = judgeError(new WeirError(code), 'peer');
    assert.deepEqual([verdict.fault, verdict.failure, verdict.elsewhere], ['ours', undefined, elsewhere], code);
  }
});
