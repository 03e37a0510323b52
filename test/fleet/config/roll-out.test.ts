import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeCandidate } from '../../../src/fleet/config/candidate.js';
import { refusal, revisionOf } from '../../../src/fleet/config/document.js';
import { edgesOf } from '../../../src/fleet/config/edges-of.js';
import {
  LayerConflict,
  maxHistory,
  readHistory,
  readLayer,
  writeLayer,
} from '../../../src/fleet/config/layer-store.js';
import { rollOut } from '../../../src/fleet/config/roll-out.js';
import { encodeEdge } from '../../../src/fleet/edge-record.js';
import { FakeEnsemble } from '../../support/fake-ensemble.js';
import { HandClock, settled } from '../../support/hand-clock.js';

const layer = '/weir/config';
const candidate = '/weir/config/candidate';
const heading = { at: '2026-01-01T00:00:00.000Z', by: 'ann@desk', note: '' };

function recordWith(revision: string, error?: string): string {
  return encodeEdge({
    version: '1.0.0',
    workers: 1,
    started: '2026-01-01T00:00:00.000Z',
    players: 'http://127.0.0.1:8080',
    viewers: 0,
    kbps: 0,
    config: { revision, error },
  });
}

/** Edges that answer a candidate as they are told; `says` undefined: not at all. */
async function fleet(
  names: readonly string[],
  says: (name: string, body: string) => 'runs' | 'refuses' | 'leaves' | undefined,
) {
  const ensemble = new FakeEnsemble();
  const session = ensemble.session();
  session.connect();
  const tried: string[] = [];
  const pathOf = (name: string) => `/weir/edges/home/${name}~00000000`;
  for (const name of names) ensemble.put(pathOf(name), recordWith('-/-/-'), undefined);
  session.watch(candidate, 'data', async () => {
    const found = decodeCandidate((await session.get(candidate))?.data ?? '');
    if (found === undefined) return;
    for (const name of names) {
      if (tried.includes(name) || (found.edges !== 'all' && !found.edges.includes(`home/${name}`))) continue;
      tried.push(name);
      const answer = says(name, found.body);
      const revision = revisionOf([found.body, undefined, undefined]);
      if (answer === 'leaves') ensemble.drop(pathOf(name));
      else if (answer === 'runs') ensemble.put(pathOf(name), recordWith(revision), undefined);
      else if (answer === 'refuses')
        ensemble.put(pathOf(name), recordWith('-/-/-', refusal(revision, 'no room')), undefined);
    }
  });
  await settled();
  const edges = await edgesOf(session, '/weir', { kind: 'all' });
  const told: string[] = [];
  const clock = new HandClock();
  const lock = { isHeld: () => true };
  const asked = new AbortController();
  const start = (commit: () => Promise<unknown>) =>
    rollOut(
      {
        session,
        root: '/weir',
        layer,
        place: 0,
        body: 'log: {}\n',
        edges,
        deadlineMs: 30_000,
        after: (ms, run) => clock.after(ms, run),
        lock,
        signal: asked.signal,
        told: (edge, isCanary) => told.push(isCanary ? `canary ${edge.name}` : edge.name),
      },
      commit,
    );
  return { ensemble, session, tried, told, start, clock, lock, asked };
}

test('every edge runs with a document before it is written, and the candidate is gone afterwards', async () => {
  const { ensemble, tried, told, start } = await fleet(['a', 'b', 'c'], () => 'runs');
  assert.equal(
    await start(async () => {
      assert.deepEqual(tried, ['a', 'b', 'c']);
      assert.equal(ensemble.nodes.has(candidate), true);
      return 'written';
    }),
    'written',
  );
  assert.deepEqual(told, ['canary a', 'b', 'c']);
  assert.equal(ensemble.nodes.has(candidate), false);
});

const stops: ['refuses' | 'leaves' | undefined, RegExp][] = [
  ['refuses', /home\/b cannot run with this: no room/],
  ['leaves', /home\/b went away while it tried this/],
  [undefined, /home\/b did not say in 30 s that it runs with it/],
];
for (const [answer, expected] of stops) {
  test(`a roll-out stops at an edge that ${answer ?? 'says nothing'}: the next ones never see it, and nothing is written`, async () => {
    const { ensemble, tried, start, clock } = await fleet(['a', 'b', 'c', 'd'], (name) =>
      name === 'b' ? answer : 'runs',
    );
    const stopped = assert.rejects(
      start(() => assert.fail('written')),
      expected,
    );
    while (tried.length < 2) await settled();
    await clock.pass(30_000);
    await stopped;
    assert.deepEqual(tried, ['a', 'b', 'c']);
    assert.equal(clock.waiting, 0);
    assert.equal(ensemble.nodes.has(candidate), false);
  });
}

test('a roll-out that is interrupted takes the candidate back at once', async () => {
  const { ensemble, start, asked, tried, clock } = await fleet(['a', 'b'], (name) => {
    if (name === 'b') asked.abort();
    return name === 'a' ? 'runs' : undefined;
  });
  await assert.rejects(
    start(() => assert.fail('written')),
    /interrupted; it was taken back, and nothing was written/,
  );
  assert.deepEqual(tried, ['a', 'b']);
  assert.equal(ensemble.nodes.has(candidate), false);
  assert.equal(clock.waiting, 0);
});

test('a roll-out that lost its lock writes nothing, and leaves the candidate of the next one alone', async () => {
  const { ensemble, start, lock } = await fleet(['a', 'b'], (name) => {
    if (name === 'b') lock.isHeld = () => false;
    return 'runs';
  });
  await assert.rejects(
    start(() => assert.fail('written')),
    /the lock of the roll-out was lost/,
  );
  assert.equal(ensemble.nodes.has(candidate), true);
});

test('a write replaces only the version that was read, and says who was first', async () => {
  const session = new FakeEnsemble().session();
  session.connect();
  const nothing = await readLayer(session, layer);
  assert.equal(await writeLayer(session, nothing, heading, 'a: 1\n'), 0);
  const first = await readLayer(session, layer);
  assert.equal(await writeLayer(session, first, { ...heading, by: 'bob@desk' }, 'a: 2\n'), 1);
  for (const outdated of [nothing, first]) {
    await assert.rejects(
      writeLayer(session, outdated, heading, 'a: 3\n'),
      (error: unknown) => error instanceof LayerConflict && /version 1 now, by bob@desk/.test(error.message),
    );
  }
  assert.equal((await readLayer(session, layer)).document?.body, 'a: 2\n');
});

test('the folder that a candidate made is no version: the first document takes its place', async () => {
  const ensemble = new FakeEnsemble();
  const session = ensemble.session();
  session.connect();
  const before = await readLayer(session, layer);
  await session.create(candidate, '', 'ephemeral');
  assert.equal(await writeLayer(session, before, heading, 'a: 1\n'), 1);
  assert.deepEqual(
    (await readHistory(session, layer)).map(({ version }) => version),
    [1],
  );
});

test('what is replaced stays in the history, the newest first, and only so many of it', async () => {
  const session = new FakeEnsemble().session();
  session.connect();
  for (let version = 0; version <= maxHistory + 3; version++) {
    await writeLayer(session, await readLayer(session, layer), { ...heading, note: `n${version}` }, `a: ${version}\n`);
  }
  const history = await readHistory(session, layer);
  assert.equal(history.length, maxHistory + 1);
  assert.deepEqual(history[0]?.document, {
    heading: { ...heading, layer, version: maxHistory + 3, note: `n${maxHistory + 3}` },
    body: `a: ${maxHistory + 3}\n`,
  });
  assert.deepEqual(history.at(-1)?.version, 3);
});
