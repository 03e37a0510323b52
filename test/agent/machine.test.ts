import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadOf } from '../../src/agent/load.js';
import { bytesOf, type Count, machineCpu, networkCount, processCpu, Share, ticksOf } from '../../src/agent/machine.js';

test('the load is the largest of what is known, and unknown when nothing is', () => {
  assert.equal(loadOf({}), undefined);
  assert.equal(loadOf({ cpu: 0.2, network: 0.7, viewers: undefined }), 0.7);
  assert.equal(loadOf({ cpu: 0 }), 0);
  assert.equal(loadOf({ cpu: 0.2, viewers: 3 }), 1);
  assert.equal(loadOf({ cpu: Number.NaN }), undefined);
});

test('a share is what was used since the last look, smoothed, and a counter that begins again says nothing', () => {
  const counts: (Count | undefined)[] = [
    { used: 100, possible: 1_000 },
    { used: 150, possible: 1_100 },
    { used: 250, possible: 1_200 },
    { used: 0, possible: 1_300 },
    { used: 50, possible: 1_400 },
    undefined,
    { used: 0, possible: 2_000 },
  ];
  const share = new Share(() => counts.shift());
  const looks = Array.from({ length: 7 }, () => share.look());
  assert.deepEqual(
    looks.map((look) => (look === undefined ? undefined : Math.round(look * 1000) / 1000)),
    [undefined, 0.5, 0.667, 0.667, 0.611, undefined, undefined],
  );
});

test('the counters of the system are read, whatever a process calls itself', () => {
  const fields = ['S', ...Array.from({ length: 10 }, () => '0'), '70', '30', '0', '0'];
  assert.equal(ticksOf(`12 (a) b (c) ${fields.join(' ')}`), 100);
  const dev = [
    'Inter-|   Receive                                                |  Transmit',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets',
    '    lo: 900 9 0 0 0 0 0 0 900 9 0 0 0 0 0 0',
    '  eth0:100 1 0 0 0 0 0 0 500 5 0 0 0 0 0 0',
    '  eth1: 20 1 0 0 0 0 0 0 30 5 0 0 0 0 0 0',
  ].join('\n');
  assert.equal(bytesOf(dev), 530);
  assert.equal(bytesOf(dev, 'eth1'), 30);
  assert.equal(bytesOf(dev, 'eth2'), undefined);
  assert.equal(bytesOf(''), undefined);
});

test('this machine has counters', () => {
  const { used, possible } = machineCpu();
  assert.ok(possible >= used && used > 0);
  assert.equal(processCpu('/nowhere'), undefined);
  assert.equal(networkCount(1e9, 'no-such-device'), undefined);
});
