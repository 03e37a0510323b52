import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, mock, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Endpoint } from '../../src/model.js';
import { readSnapshotFile, SnapshotFile, type Source } from '../../src/snapshot/snapshot-file.js';
import { endpoint } from '../support/data-plane.js';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-snapshot-'));
});
after(() => rm(directory, { recursive: true }));

const trees = ['/channels/{channel}/{endpoint}', '/go/{endpoint} news'];
const zookeeper = { kind: 'zookeeper' as const, servers: 'zk1:2181,zk2:2181/live', trees };
const savedAt = Date.parse('2026-01-02T03:04:05.678Z');
const unexpected = (error: unknown) => assert.fail(String(error));
const fileOf = (name: string, endpoints: readonly Endpoint[], failed: (error: unknown) => void = unexpected) =>
  new SnapshotFile({
    path: join(directory, name),
    source: zookeeper,
    snapshot: () => ({ endpoints, knownAt: savedAt, live: false }),
    failed,
  });

/** Writes a file as an edge would have, with changes of its text. */
async function written(name: string, endpoints: readonly object[], header: object = {}): Promise<string> {
  const path = join(directory, name);
  const whole = { version: 2, savedAt: new Date(savedAt).toISOString(), registry: zookeeper, endpoints, ...header };
  await writeFile(path, JSON.stringify(whole));
  return path;
}

test('what was written is read again: unknown values as unknown, last resorts as such, and when it was true', async () => {
  const one = endpoint('a', 'http://10.0.0.1:1/x', { load: undefined });
  const kept = endpoint('b', '10.0.0.2:1', { lastResort: true });
  const file = fileOf('roundtrip.json', [one, kept]);
  file.changed(true);
  await file.close();
  const saved = await readSnapshotFile(join(directory, 'roundtrip.json'), zookeeper);
  assert.deepEqual(saved, { savedAt, endpoints: [one, kept] });
  assert.ok(!(await readdir(directory)).some((name) => name.endsWith('.tmp')));
});

test('many endpoints are written in pieces, between which others have their turn', async () => {
  const all = Array.from({ length: 2_600 }, (_, i) => endpoint(`c${i}`, '10.0.0.1:1'));
  let inThisTurn = 0;
  let most = 0;
  const walked = (function* () {
    for (const one of all) {
      inThisTurn += 1;
      most = Math.max(most, inThisTurn);
      yield one;
    }
  })();
  let writing = true;
  const turns = (async () => {
    for (; writing; await setImmediate()) inThisTurn = 0;
  })();
  const file = new SnapshotFile({
    path: join(directory, 'large.json'),
    source: zookeeper,
    snapshot: () => ({ endpoints: walked, knownAt: savedAt, live: false }),
    failed: unexpected,
  });
  file.changed(true);
  await file.close();
  writing = false;
  await turns;
  assert.ok(most <= 1_000, `${most} in one turn`);
  assert.deepEqual((await readSnapshotFile(join(directory, 'large.json'), zookeeper))?.endpoints, all);
});

test('a missing file is none', async () => {
  assert.equal(await readSnapshotFile(join(directory, 'missing.json'), zookeeper), undefined);
});

test('a file that is not ours is refused with a reason', async () => {
  const path = join(directory, 'broken.json');
  for (const text of ['', '{', '[]', '{"version":1,"endpoints":[]}', '{"version":2,"endpoints":[{}]}']) {
    await writeFile(path, text);
    await assert.rejects(readSnapshotFile(path, zookeeper));
  }
});

test('a file of another registry is refused, and one of the same ensemble that grew is not', async () => {
  const path = await written('source.json', [endpoint('a', '10.0.0.1:1')]);
  const others: Source[] = [
    { kind: 'embedded' },
    { ...zookeeper, trees: ['/other/{channel}/{endpoint}'] },
    { ...zookeeper, servers: 'zk1:2181,zk2:2181' },
    { ...zookeeper, servers: 'zk3:2181/live' },
  ];
  for (const other of others) await assert.rejects(readSnapshotFile(path, other), /another registry/);
  const grown = { ...zookeeper, servers: 'zk3:2181,zk2/live', trees: trees.toReversed() };
  assert.equal((await readSnapshotFile(path, grown))?.endpoints.length, 1);
});

test('what stands in the file is not trusted more than what stands in the registry', async () => {
  const good = endpoint('a', '10.0.0.1:1');
  const path = await written('hostile.json', [
    { ...good, address: 'file:///etc/passwd' },
    { ...good, channel: '../a' },
    { ...good, channel: 'x'.repeat(256) },
    { ...good, load: 7, bitrate: -1, packetLoss: 'none' },
  ]);
  const saved = await readSnapshotFile(path, zookeeper);
  assert.deepEqual(saved?.endpoints, [{ ...good, load: undefined, bitrate: undefined, packetLoss: undefined }]);
});

test('a write that fails is told, and leaves no temporary file', async () => {
  const errors: unknown[] = [];
  const file = fileOf('no/such/folder.json', [], (error) => errors.push(error));
  file.changed(true);
  await file.close();
  assert.equal(errors.length, 1);
});

test('who is registered is written soon, reports every half minute, and until when it was true also without them', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const path = join(directory, 'paced.json');
  let now = 0;
  let writes = 0;
  const file = new SnapshotFile({
    path,
    source: zookeeper,
    snapshot: () => ({ endpoints: [], knownAt: savedAt + ++writes, live: true }),
    failed: unexpected,
    now: () => now,
  });
  /** Milliseconds in which `again` happens ten times a second, until the first write begins. */
  const until = (again: () => void): number => {
    const [from, before] = [now, writes];
    while (writes === before) {
      again();
      now += 100;
      mock.timers.tick(100);
    }
    return now - from;
  };
  assert.equal(
    until(() => file.changed(true)),
    1_000,
  );
  assert.equal(
    until(() => file.changed(false)),
    30_000,
  );
  assert.equal(
    until(() => {}),
    30_000,
  );
  file.changed(false);
  assert.equal(
    until(() => file.changed(true)),
    1_000,
  );
  await file.close();
  mock.timers.reset();
  assert.ok((JSON.parse(await readFile(path, 'utf8')) as { savedAt: string }).savedAt > '2026-01-02T03:04:05.678Z');
});

test('what endpoints say beside their values is kept, and what does not hold is left out', async () => {
  const traits = { draining: true, weight: 2, zone: 'a', priority: 1, release: '1.0', properties: { a: 'b' } } as const;
  const path = await written('traits.json', [
    endpoint('a', '10.0.0.1:1', traits),
    endpoint('b', '10.0.0.2:1', {
      weight: -1,
      zone: 'x'.repeat(1_000),
      priority: 0.5,
      properties: { a: 1e9 as never },
    }),
  ]);
  const saved = await readSnapshotFile(path, zookeeper);
  assert.deepEqual(saved?.endpoints, [
    endpoint('a', '10.0.0.1:1', traits),
    endpoint('b', '10.0.0.2:1', { properties: { a: '1000000000' } }),
  ]);
});
