import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readSnapshotFile, SnapshotFile } from '../../src/snapshot/snapshot-file.js';
import { endpoint } from '../support/data-plane.js';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-snapshot-'));
});
after(() => rm(directory, { recursive: true }));

const unexpected = (error: unknown) => assert.fail(String(error));

test('what was written is read again, unknown values as unknown, last resorts left out', async () => {
  const path = join(directory, 'roundtrip.json');
  const one = endpoint('a', 'http://10.0.0.1:1/x', { load: undefined });
  const kept = endpoint('a', '10.0.0.2:1', { lastResort: true });
  const file = new SnapshotFile(path, () => [one, kept], unexpected);
  file.changed();
  await file.close();
  assert.deepEqual(await readSnapshotFile(path), [one]);
  assert.ok(!(await readdir(directory)).some((name) => name.endsWith('.tmp')));
});

test('a missing file is an empty snapshot', async () => {
  assert.deepEqual(await readSnapshotFile(join(directory, 'missing.json')), []);
});

test('a file that is not ours is refused with a reason', async () => {
  const path = join(directory, 'broken.json');
  for (const text of ['', '{', '[]', '{"version":2,"endpoints":[]}', '{"version":1,"endpoints":[{}]}']) {
    await writeFile(path, text);
    await assert.rejects(readSnapshotFile(path));
  }
});

test('an address in the file is not trusted more than one in the registry', async () => {
  const path = join(directory, 'hostile.json');
  const hostile = { ...endpoint('a', '10.0.0.1:1'), address: 'file:///etc/passwd' };
  await writeFile(path, JSON.stringify({ version: 1, endpoints: [hostile] }));
  assert.deepEqual(await readSnapshotFile(path), []);
});

test('a write that fails is told, and leaves no temporary file', async () => {
  const errors: unknown[] = [];
  const file = new SnapshotFile(
    join(directory, 'no/such/folder.json'),
    () => [],
    (error) => errors.push(error),
  );
  file.changed();
  await file.close();
  assert.equal(errors.length, 1);
});
