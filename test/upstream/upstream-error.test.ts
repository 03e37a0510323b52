import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WeirError } from '../../src/errors.js';
import { judgeError } from '../../src/upstream/judge.js';
import { toUpstreamError } from '../../src/upstream/upstream-error.js';

const system = (code: string) => Object.assign(new Error(`connect ${code}`), { code });

test('what this machine has run out of is nobody else’s failure', () => {
  for (const code of ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']) {
    const error = toUpstreamError(system(code));
    assert.equal(error.code, 'exhausted', code);
    assert.match(error.message, new RegExp(code));
    assert.equal(judgeError(error, 'asked').failure, undefined);
  }
});

test('of several addresses that failed, what one of them said counts more than that another has no way from here', () => {
  const both = Object.assign(new Error(''), {
    name: 'AggregateError',
    errors: [system('EADDRNOTAVAIL'), system('ECONNREFUSED')],
  });
  assert.equal(toUpstreamError(both).code, 'upstream_connect');
  const none = Object.assign(new Error(''), { name: 'AggregateError', errors: [system('EMFILE'), system('EMFILE')] });
  assert.equal(toUpstreamError(none).code, 'exhausted');
});

test('an error of ours stays itself, also when another one is wrapped around it', () => {
  const own = new WeirError('address_refused');
  assert.equal(toUpstreamError(own), own);
  assert.equal(toUpstreamError(new Error('outer', { cause: own })), own);
});
