import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeEdge } from '../../src/fleet/edge-record.js';
import { edgeJson, readEdges } from '../../src/fleet/read-edges.js';
import { FakeEnsemble } from '../support/fake-ensemble.js';

const record = {
  version: '0.1.0',
  workers: 2,
  started: '2026-01-01T00:00:00.000Z',
  players: 'http://edge:8080',
  viewers: 3,
  kbps: 4,
};

test('all edges are read, those out of service and those that say nothing of use too', async () => {
  const ensemble = new FakeEnsemble();
  ensemble.put('/weir/edges/us/b~00000002', encodeEdge(record), undefined);
  ensemble.put('/weir/edges/eu/a~00000001', '\u0000', undefined);
  ensemble.put('/weir/edges/eu/notes', 'x', undefined);
  ensemble.put(
    '/weir/drained/eu/c~00000003',
    encodeEdge({ ...record, config: { revision: '9', error: 'no' } }),
    undefined,
  );
  const session = ensemble.session();
  session.connect();
  const edges = (await readEdges(session, '/weir')).map(edgeJson);
  assert.deepEqual(
    edges.map(({ site, name, status, viewers, config_error: error }) => [site, name, status, viewers, error]),
    [
      ['eu', 'a', 'serving', null, null],
      ['eu', 'c', 'draining', 3, 'no'],
      ['us', 'b', 'serving', 3, null],
    ],
  );
});

test('where nothing was ever registered there are no edges', async () => {
  const session = new FakeEnsemble().session();
  session.connect();
  assert.deepEqual(await readEdges(session, '/weir'), []);
});

test('no more than a bounded number is read', async () => {
  const ensemble = new FakeEnsemble();
  for (let site = 0; site < 3; site++) {
    for (let i = 0; i < 4_000; i++) {
      ensemble.put(`/weir/edges/s${site}/e~${i.toString(16).padStart(8, '0')}`, '', undefined);
    }
  }
  const session = ensemble.session();
  session.connect();
  assert.equal((await readEdges(session, '/weir')).length, 10_000);
});
