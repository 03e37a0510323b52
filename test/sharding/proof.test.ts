// What two edges say to each other before anything else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  answererLine,
  callerLine,
  challenge,
  type Exchange,
  idOf,
  isAnswerer,
  maxLineBytes,
  newNonce,
  readCaller,
  readChallenge,
} from '../../src/sharding/proof.js';

const secret = 'a-secret-of-thirty-two-characters';
const ends = { caller: idOf('east', 'one:8080'), answerer: idOf('east', 'two:8080') };
const nonces = { caller: newNonce(), answerer: newNonce() };
const exchange: Exchange = { secret, ends, nonces };
const answering = { secret, answerer: ends.answerer, nonce: nonces.answerer };

test('two edges that know the secret believe each other, and the secret is in no line', () => {
  assert.equal(readChallenge(challenge(nonces.answerer)), nonces.answerer);
  const read = readCaller(callerLine(exchange), answering);
  assert.deepEqual(read, exchange);
  assert.equal(isAnswerer(answererLine(exchange), exchange), true);
  for (const line of [callerLine(exchange), answererLine(exchange)]) assert.ok(!line.includes(secret));
});

test('without the secret nobody is believed, caller or answerer', () => {
  const stranger = { ...exchange, secret: 'another-secret-of-so-many-characters' };
  assert.equal(readCaller(callerLine(stranger), answering), undefined);
  assert.equal(isAnswerer(answererLine(stranger), exchange), false);
  assert.equal(isAnswerer('', exchange), false);
});

test('a proof that was heard is good for no other connection, for no other edge, and not for its own maker', () => {
  const line = callerLine(exchange);
  assert.equal(readCaller(line, { ...answering, nonce: newNonce() }), undefined, 'another connection');
  assert.equal(readCaller(line, { ...answering, answerer: idOf('east', 'three:8080') }), undefined, 'another edge');
  assert.equal(readCaller(line.replace('one', 'six'), answering), undefined, 'another caller');
  const [, , proof = ''] = line.split(' ');
  assert.equal(isAnswerer(proof, exchange), false, 'the proof of the caller is none of the answerer');
});

test('nothing but the exact lines is read, and the longest names fit into one', () => {
  const line = callerLine(exchange);
  for (const wrong of ['', ' ', `${line} `, ` ${line}`, `${line} x`, line.slice(1), line.toUpperCase(), 'a b c']) {
    assert.equal(readCaller(wrong, answering), undefined, wrong);
  }
  for (const wrong of [
    '',
    'HTTP/1.1 400 Bad Request',
    'weir-peer/1',
    'weir-peer/1 short',
    `weir-peer/2 ${newNonce()}`,
  ]) {
    assert.equal(readChallenge(wrong), undefined, wrong);
  }
  const long = idOf('s'.repeat(255), 'e'.repeat(255));
  const longest = callerLine({ ...exchange, ends: { ...ends, caller: long } });
  assert.ok(longest.length <= maxLineBytes, `${longest.length}`);
  assert.equal(readCaller(longest, answering)?.ends.caller, long);
});
