import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { endpointFields, readEntry } from '../../../src/registry/formats/endpoint-schema.js';

const read = (entry: object) => readEntry(z.strictObject(endpointFields).parse(entry));

test('an entry is an address with its path, values, traits and whether it serves anybody', () => {
  assert.deepEqual(read({ service_address: 'o:80' }), {
    address: 'o:80',
    load: undefined,
    bitrate: undefined,
    packetLoss: undefined,
    traits: {},
    eligible: true,
  });
  const all = { service_address: 'o:80', load: 0.2, bitrate: null, packet_loss_rate: 0.1 };
  assert.deepEqual(read({ ...all, path: '/x', status: 'draining', weight: 2, version: 3 }), {
    address: 'http://o:80/x',
    load: 0.2,
    bitrate: undefined,
    packetLoss: 0.1,
    traits: { draining: true, weight: 2, release: '3' },
    eligible: true,
  });
  const off = read({ service_address: 'o:80', status: 'off' });
  assert.ok('eligible' in off && !off.eligible);
});

test('every fault of a trait is told, with what was expected', () => {
  const { faults } = read({ service_address: 'o:80', weight: -1, path: 'x' }) as { faults: readonly string[] };
  assert.deepEqual(
    faults.map((fault) => fault.split(':')[0]),
    ['weight', 'path'],
  );
});
