// Taking an endpoint out of service by the status in its registration.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeStatus } from '../../../src/registry/formats/status.js';

const change = (text: string, status: 'draining' | 'live') =>
  changeStatus({ name: 'a', level: 'channel', data: Buffer.from(text) }, status);

const own = '{"service_address":"10.0.0.1:80","load":0.1,"id":12345678901234567890}';

test('the status is set, and all else keeps every byte', () => {
  const drained = change(own, 'draining');
  const text = '{"service_address":"10.0.0.1:80","load":0.1,"id":12345678901234567890,"status":"draining"}';
  assert.deepEqual(drained, { kind: 'set', text });
  assert.deepEqual(change(text, 'draining'), { kind: 'same' });
  assert.deepEqual(change(text, 'live'), { kind: 'set', text: text.replace('draining', 'live') });
});

test('what says nothing is live', () => {
  assert.deepEqual(change(own, 'live'), { kind: 'same' });
});

test('the values of a channel that its endpoints do not say themselves have a status too', () => {
  assert.deepEqual(change('{"load":0.5}', 'draining'), { kind: 'set', text: '{"load":0.5,"status":"draining"}' });
});

const refused: [text: string, why: RegExp][] = [
  ['10.0.0.1:80', /its format is plain, and only ChannelInfo has a status/],
  ['{"ip":"10.0.0.1","port":80}', /its format is metadata/],
  ['', /it has no data/],
  ['{"service_address":', /cannot be read \(bad_json\)/],
  ['{"service_address":"10.0.0.1:80","status":"off"}', /it is off already/],
];
for (const [text, why] of refused) {
  test(`${text || 'nothing'} is not drained, with the reason`, () => {
    const result = change(text, 'draining');
    assert.ok(result.kind === 'refused');
    assert.match(result.why, why);
  });
}
