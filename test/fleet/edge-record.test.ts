import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { edgesIn, sitesIn } from '../../src/fleet/edge-paths.js';
import { decodeEdge, type EdgeRecord, encodeEdge, nodeName, parseNodeName } from '../../src/fleet/edge-record.js';

const record: EdgeRecord = {
  version: '0.1.0',
  workers: 2,
  started: '2026-01-01T00:00:00.000Z',
  players: 'http://edge-1:8080',
  peers: 'http://edge-1:8090',
  viewers: 12,
  kbps: 3_400,
  config: { revision: '17', error: 'log.level: expected one of info, warn' },
};

test('what an edge says of itself is read as it was written', () => {
  assert.deepEqual(decodeEdge(encodeEdge(record)), record);
  const { peers: _peers, config: _config, ...least } = record;
  assert.deepEqual(decodeEdge(encodeEdge(least)), least);
});

test('a long error is cut, not a reason to be unknown', () => {
  const read = decodeEdge(encodeEdge({ ...record, config: { revision: '17', error: 'x'.repeat(50_000) } }));
  assert.equal(read?.config?.error?.length, 1_000);
});

test('what a later version says besides is left out', () => {
  const later = JSON.stringify({ ...record, gpu: true, config: { ...record.config, by: 'me' } });
  assert.deepEqual(decodeEdge(later), record);
});

test('what is out of bounds makes the whole of it unknown', () => {
  const wrong: Record<string, unknown>[] = [
    { viewers: -1 },
    { viewers: 1.5 },
    { kbps: 1e12 },
    { workers: '2' },
    { players: 'javascript:alert(1)' },
    { players: 'http://a b' },
    { players: `http://${'a'.repeat(600)}` },
    { started: 'yesterday' },
    { version: 'x'.repeat(65) },
    { config: { revision: 'x'.repeat(129) } },
  ];
  for (const part of wrong) assert.equal(decodeEdge(JSON.stringify({ ...record, ...part })), undefined);
  for (const text of ['', 'null', '[]', '{', '"a"', `{"a":"${'x'.repeat(9_000)}"}`]) {
    assert.equal(decodeEdge(text), undefined);
  }
});

test('no data of a node makes it throw', () => {
  fc.assert(fc.property(fc.string(), (data) => void decodeEdge(data)));
  fc.assert(fc.property(fc.json(), (data) => void decodeEdge(data)));
});

test('the name of a node tells two edges of one name apart', () => {
  const node = { name: 'edge-1.example.com:8080', run: '00ab00cd' };
  assert.deepEqual(parseNodeName(nodeName(node)), node);
  for (const text of [
    'edge-1',
    'edge-1~',
    '~00ab00cd',
    'edge~00AB00CD',
    'a/b~00ab00cd',
    'a~b~00ab00cd',
    'é~00ab00cd',
  ]) {
    assert.equal(parseNodeName(text), undefined, text);
  }
});

test('what is no site and no edge is passed over, and no list is longer than its bound', () => {
  assert.deepEqual(sitesIn(['b', 'a', '..', '', 'x y', 'a/b']), ['a', 'b']);
  assert.deepEqual(edgesIn(['b~00000001', 'config', 'a~00000002']), [
    { name: 'a', run: '00000002' },
    { name: 'b', run: '00000001' },
  ]);
  assert.equal(sitesIn(Array.from({ length: 2_000 }, (_, i) => `s${i}`)).length, 1_000);
  const runs = Array.from({ length: 12_000 }, (_, i) => `e~${i.toString(16).padStart(8, '0')}`);
  assert.equal(edgesIn(runs).length, 10_000);
});
