import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CentreDocument } from '../../../src/config/centre.js';
import { encodeCandidate } from '../../../src/fleet/config/candidate.js';
import { ConfigFollower, type ConfigReport } from '../../../src/fleet/config/config-follower.js';
import { refuses, revisionOf, writeDocument } from '../../../src/fleet/config/document.js';
import { FakeEnsemble } from '../../support/fake-ensemble.js';
import { HandClock, settled } from '../../support/hand-clock.js';

const all = '/weir/config';
const own = '/weir/config/edges/home/one';
const candidate = '/weir/config/candidate';

/** An edge on an ensemble in memory. A document with `bad` in it cannot be put into effect. */
function edgeOn(ensemble: FakeEnsemble, kept: ReadonlyMap<string, string> = new Map()) {
  const session = ensemble.session();
  const clock = new HandClock();
  const applied: (readonly CentreDocument[])[] = [];
  const reports: ConfigReport[] = [];
  const keptNow: ReadonlyMap<string, string>[] = [];
  const failures: string[] = [];
  const follower = new ConfigFollower({
    session,
    root: '/weir',
    site: 'home',
    edge: 'one',
    kept,
    apply: async (documents) => {
      if (documents.some(({ text }) => text.includes('bad'))) throw new Error('no such setting');
      applied.push(documents);
    },
    keep: async (bodies) => {
      keptNow.push(bodies);
    },
    report: (report) => reports.push(report),
    failed: (what, { message }) => failures.push(`${what}: ${message}`),
    after: (ms, run) => clock.after(ms, run),
  });
  session.connect();
  return { session, clock, follower, applied, reports, keptNow, failures };
}

const texts = (documents: readonly CentreDocument[] | undefined) => documents?.map(({ text }) => text);
const put = (ensemble: FakeEnsemble, layer: string, body: string, version = 0) => {
  const heading = { layer, version, at: '2026-01-01T00:00:00.000Z', by: 'ann@desk', note: '' };
  ensemble.put(layer, writeDocument(heading, body), undefined);
};

test('an edge gets what was set before it started, the document of the edge after the one for all, and keeps it', async () => {
  const ensemble = new FakeEnsemble();
  put(ensemble, all, 'a');
  put(ensemble, own, 'b');
  const { follower, applied, reports, keptNow } = edgeOn(ensemble);
  await follower.read;
  assert.deepEqual(applied, [
    [
      { name: all, text: 'a' },
      { name: own, text: 'b' },
    ],
  ]);
  assert.deepEqual(reports.at(-1), { revision: revisionOf(['a', undefined, 'b']) });
  assert.deepEqual(
    [...(keptNow[0] ?? [])],
    [
      [all, 'a'],
      [own, 'b'],
    ],
  );
  follower.close();
});

test('a document that cannot be used changes nothing, is told with its revision, and the next good one clears it', async () => {
  const ensemble = new FakeEnsemble();
  put(ensemble, all, 'a');
  const { follower, applied, reports, keptNow, failures } = edgeOn(ensemble);
  await follower.read;
  put(ensemble, all, 'bad');
  await settled();
  assert.equal(applied.length, 1);
  assert.equal(keptNow.length, 1);
  assert.deepEqual(failures, ['apply: no such setting']);
  const report = reports.at(-1);
  assert.equal(report?.revision, revisionOf(['a', undefined, undefined]));
  assert.ok(refuses(report?.error ?? '', revisionOf(['bad', undefined, undefined])));
  put(ensemble, all, 'c');
  await settled();
  assert.deepEqual(texts(applied.at(-1)), ['c']);
  assert.deepEqual(reports.at(-1), { revision: revisionOf(['c', undefined, undefined]) });
  follower.close();
});

test('what was refused is tried again when the settings of the edge itself have changed, and not before', async () => {
  const ensemble = new FakeEnsemble();
  put(ensemble, all, 'bad');
  const { follower, session, failures } = edgeOn(ensemble);
  await follower.read;
  session.connect(false);
  await settled();
  assert.equal(failures.length, 1);
  follower.retry();
  await settled();
  assert.equal(failures.length, 2);
  follower.close();
});

test('only the edges that a candidate names try it; it is not kept, and when it is gone they go back', async () => {
  const ensemble = new FakeEnsemble();
  put(ensemble, all, 'a');
  const { follower, applied, keptNow } = edgeOn(ensemble);
  await follower.read;
  const tried = (edges: 'all' | string[]) => {
    ensemble.put(candidate, encodeCandidate({ layer: all, body: 'b', edges }), undefined);
    return settled();
  };
  await tried(['home/two']);
  assert.equal(applied.length, 1);
  await tried(['home/two', 'home/one']);
  assert.deepEqual(texts(applied.at(-1)), ['b']);
  await tried('all');
  assert.equal(applied.length, 2);
  ensemble.drop(candidate);
  await settled();
  assert.deepEqual(applied.map(texts), [['a'], ['b'], ['a']]);
  assert.equal(keptNow.length, 1);
  follower.close();
});

test('a candidate that becomes the document is put into effect once, and kept then', async () => {
  const ensemble = new FakeEnsemble();
  const { follower, applied, keptNow } = edgeOn(ensemble);
  await follower.read;
  ensemble.put(candidate, encodeCandidate({ layer: all, body: 'b', edges: 'all' }), undefined);
  await settled();
  put(ensemble, all, 'b');
  ensemble.drop(candidate);
  await settled();
  assert.deepEqual(applied.map(texts), [['b']]);
  assert.equal(keptNow.length, 1);
  follower.close();
});

test('a ZooKeeper that lost its data undoes nothing that was set', async () => {
  const ensemble = new FakeEnsemble();
  const { follower, applied, reports } = edgeOn(ensemble, new Map([[all, 'a']]));
  await follower.read;
  put(ensemble, own, 'b');
  await settled();
  assert.deepEqual(applied.map(texts), [['a', 'b']]);
  ensemble.drop(own);
  ensemble.drop(all);
  await settled();
  assert.equal(applied.length, 1);
  assert.equal(reports.at(-1)?.revision, revisionOf(['a', undefined, 'b']));
  follower.close();
});

test('garbage in place of a candidate changes nothing', async () => {
  const ensemble = new FakeEnsemble();
  put(ensemble, all, 'a');
  const { follower, applied } = edgeOn(ensemble);
  await follower.read;
  for (const data of ['', '{', '{"layer":"/weir/config","body":"b","edges":7}', 'null']) {
    ensemble.put(candidate, data, undefined);
    await settled();
  }
  assert.equal(applied.length, 1);
  follower.close();
});
