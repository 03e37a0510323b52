import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetChangeLine, fleetChanges, fleetTable } from '../../src/commands/fleet-lines.js';
import { type EdgeJson, edgeJson } from '../../src/fleet/read-edges.js';

const edge = (name: string, more: Partial<EdgeJson> = {}): EdgeJson => ({
  ...edgeJson({
    site: 'eu',
    name,
    run: '00000001',
    status: 'serving',
    record: {
      version: '0.1.0',
      workers: 2,
      started: '2026-01-01T00:00:00.000Z',
      players: `http://${name}:8080`,
      viewers: 12,
      kbps: 3_400,
    },
  }),
  ...more,
});

test('the table has a line an edge, and what is not known is a dash', () => {
  const unreadable = edgeJson({ site: 'us', name: 'c', run: '00000002', status: 'draining', record: undefined });
  assert.deepEqual(fleetTable([edge('a', { config_revision: '17', config_error: 'bad\u001b[2J' }), unreadable]), [
    'SITE  EDGE  STATUS    VIEWERS  SENDS        WORKERS  VERSION  CONFIG             PLAYERS',
    'eu    a     serving   12       3400 kbit/s  2        0.1.0    17 (bad\\u{1b}[2J)  http://a:8080',
    'us    c     draining  -        -            -        -        -                  -',
  ]);
});

test('edges of one name are shown with what tells them apart', () => {
  const lines = fleetTable([edge('a'), edge('a', { run: '00000002' })]);
  assert.match(lines[1] ?? '', /a~00000001/);
  assert.match(lines[2] ?? '', /a~00000002/);
});

test('what differs between two looks is a line each', () => {
  const before = [edge('a'), edge('b'), edge('c')];
  const after = [edge('a'), edge('b', { status: 'draining', viewers: 3 }), edge('d')];
  assert.deepEqual(fleetChanges(before, after).map(fleetChangeLine), [
    '- eu c',
    '~ eu b  draining  3 viewers  3400 kbit/s  config -',
    '+ eu d  serving  12 viewers  3400 kbit/s  config -',
  ]);
});
