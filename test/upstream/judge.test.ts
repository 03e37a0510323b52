import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, WeirError } from '../../src/errors.js';
import {
  errorOfStatus,
  isRefusal,
  isStoredInstead,
  judgeError,
  judgeStatus,
  mayBeForgotten,
  outcomeOf,
  type Purpose,
  toldOf,
} from '../../src/upstream/judge.js';

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

test('what every status means, and what players are told', () => {
  // For `asked` and `held` alike, `listed`, `stream`: the fault, what passive health counts, `+` where another may do better.
  const table: [statuses: number[], asked: string, listed: string, stream: string, told: string][] = [
    [[200, 206, 304, 399], 'nobody', 'nobody', 'nobody', 'upstream_status'],
    [[401, 403, 407], 'player', 'player', 'player', 'forbidden'],
    [[404, 410], 'player', 'origin bad_status+', 'player+', 'not_found'],
    [[429], 'origin+', 'origin+', 'origin+', 'upstream_status'],
    [[400, 405, 416, 451], 'player', 'player', 'player+', 'upstream_status'],
    [[500, 501, 599], 'player', 'origin bad_status+', 'origin bad_status+', 'upstream_status'],
    [[502, 503, 504], 'origin bad_status+', 'origin bad_status+', 'origin bad_status+', 'upstream_status'],
  ];
  const judged = (status: number, purpose: Purpose) => {
    const { fault, failure, elsewhere } = judgeStatus(status, purpose);
    return `${fault}${failure === undefined ? '' : ` ${failure}`}${elsewhere ? '+' : ''}`;
  };
  for (const [statuses, asked, listed, stream, told] of table) {
    for (const status of statuses) {
      const row = [...purposes.map((purpose) => judged(status, purpose)), toldOf(status).code];
      assert.deepEqual(row, [asked, asked, listed, stream, told], String(status));
    }
  }
});

test('a refusal, what is stored instead, and a session that was forgotten are told by the status', () => {
  const all = [200, 302, 400, 401, 403, 404, 407, 410, 416, 429, 500, 502, 503, 504, 599];
  assert.deepEqual(all.filter(isRefusal), [401, 403, 407]);
  assert.deepEqual(all.filter(isStoredInstead), [500, 502, 503, 504, 599]);
  assert.deepEqual(all.filter(mayBeForgotten), [400, 401, 403, 404, 407, 410, 416]);
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
