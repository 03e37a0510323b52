import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Stream } from '../../src/agent/stream.js';
import { addressOf, channelOf } from '../../src/agent/template.js';
import { type Naming, wantedOf } from '../../src/agent/wanted.js';

const stream: Stream = { vhost: 'example.com', app: 'live', name: 'news' };
const naming: Naming = {
  channel: '{stream}',
  address: 'http://{host}:8080/{app}/{stream}',
  host: '10.0.0.1',
  apps: [],
};
const of = (streams: readonly Stream[], change: Partial<Naming> = {}) => {
  const { wanted, leftOut } = wantedOf(streams, 0.5, { ...naming, ...change });
  return {
    wanted: [...wanted.values()].map(({ channel, address }) => `${channel} ${address}`),
    leftOut: leftOut.map(({ stream: { name }, why }) => `${name} ${why}`),
  };
};

describe('a template', () => {
  test('names channels and addresses, and leaves what is for the edge', () => {
    assert.equal(channelOf('{vhost}-{app}-{stream}', stream), 'example.com-live-news');
    assert.equal(
      addressOf('http://{host}:80/{path}{rest}?c={channel}', stream, 'o'),
      'http://o:80/live/news{rest}?c={channel}',
    );
    assert.equal(addressOf('{host}:80', stream, '2001:db8::1'), '[2001:db8::1]:80');
    assert.equal(addressOf('/{path}', { ...stream, app: '' }, ''), '/news');
  });

  test('puts a name in once, whatever stands in it', () => {
    const odd = { ...stream, name: '{rest}$&{host} ?#/ü\ud800', app: 'a/b' };
    assert.equal(channelOf('{stream}', odd), odd.name);
    assert.equal(
      addressOf('http://h/{app}/{stream}', odd, 'evil'),
      'http://h/a/b/%7Brest%7D%24%26%7Bhost%7D%20%3F%23/%C3%BC%EF%BF%BD',
    );
  });
});

test('a stream is registered under its name at its address, with what was measured', () => {
  const { wanted } = wantedOf([{ ...stream, bitrate: 1200.4, packetLoss: 0.01 }], 0.5, naming);
  assert.deepEqual(
    [...wanted.values()],
    [{ channel: 'news', address: 'http://10.0.0.1:8080/live/news', load: 0.5, bitrate: 1200, packetLoss: 0.01 }],
  );
});

test('what no measurement can be is unknown', () => {
  for (const bad of [-1, 1e12, Number.NaN, Number.POSITIVE_INFINITY]) {
    const { wanted } = wantedOf([{ ...stream, bitrate: bad, packetLoss: bad }], bad, naming);
    assert.deepEqual(wanted.get('news'), {
      channel: 'news',
      address: 'http://10.0.0.1:8080/live/news',
      load: undefined,
      bitrate: undefined,
      packetLoss: undefined,
    });
  }
});

test('a name that can be no channel is left out, and so is an address that can be none', () => {
  for (const name of ['..', 'a/b', 'a\nb', 'x'.repeat(256), '\ud800']) {
    assert.deepEqual(of([{ ...stream, name }]), { wanted: [], leftOut: [`${name} name`] });
  }
  assert.deepEqual(of([stream], { address: 'ftp://{host}/{stream}' }), { wanted: [], leftOut: ['news address'] });
});

test('of two streams with one channel the same one has it, in whatever order they come', () => {
  const other = { ...stream, app: 'backup' };
  for (const order of [
    [stream, other],
    [other, stream],
  ]) {
    assert.deepEqual(of(order), { wanted: ['news http://10.0.0.1:8080/backup/news'], leftOut: ['news taken'] });
  }
});

test('only streams of the apps that were asked for are registered', () => {
  const other = { ...stream, app: 'backup' };
  assert.deepEqual(of([stream, other], { apps: ['live'] }), {
    wanted: ['news http://10.0.0.1:8080/live/news'],
    leftOut: [],
  });
});
