import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointTag, type Pin, parsePin, renderPin } from '../../../src/hls/url/pin.js';
import type { ServiceAddress } from '../../../src/model.js';

const keys = { naming: 'weir', signing: 'a secret' };
const endpoint = endpointTag('10.0.0.1:8080' as ServiceAddress, keys);
const plain: Pin = { endpoint, incarnation: '', ranged: false, held: false, instance: undefined, original: undefined };

const pins: [name: string, pin: Pin][] = [
  ['an endpoint alone', plain],
  ['another incarnation', { ...plain, incarnation: 'k3x' }],
  ['a byte range', { ...plain, ranged: true }],
  ['a part', { ...plain, ranged: true, held: true }],
  ['a number', { ...plain, held: true, instance: 1234567890123 }],
  ['a path of the origin', { ...plain, original: '/hls/%20a/7.ts' }],
  ['everything', { ...plain, incarnation: '9', ranged: true, held: true, instance: 0, original: '/a' }],
];
for (const [name, pin] of pins) {
  test(`a pin says ${name}, and any process with the keys reads it`, () => {
    assert.deepEqual(parsePin(renderPin(pin, keys), keys), pin);
  });
}

test('an endpoint alone takes eight characters', () => assert.match(renderPin(plain, keys), /^[\w-]{8}$/));

test('an address has the same name in every process, and two addresses two', () => {
  assert.equal(endpointTag('10.0.0.1:8080' as ServiceAddress, keys), endpoint);
  assert.notEqual(endpointTag('10.0.0.2:8080' as ServiceAddress, keys), endpoint);
});

const text = renderPin({ ...plain, original: '/live/news/7.ts' }, keys);
const [, , , path = '', signature = ''] = text.split('.');
const forged: [name: string, text: string][] = [
  ['nothing', ''],
  ['another shape', 'http://10.0.0.1/'],
  ['a path without a signature', `${endpoint}...${path}`],
  ['a path of the player', `${endpoint}...${Buffer.from('/api/v1/clients').toString('base64url')}.${signature}`],
  ['a path signed for another endpoint', `AAAAAAAA...${path}.${signature}`],
  ['a signature of another key', renderPin({ ...plain, original: '/a' }, { ...keys, signing: 'other' })],
  ['something behind it', `${text}.x`],
  ['a very long one', `${endpoint}...${'A'.repeat(100_000)}.${signature}`],
];
for (const [name, forgery] of forged) {
  test(`a forged pin is none: ${name}`, () => assert.equal(parsePin(forgery, keys), undefined));
}
