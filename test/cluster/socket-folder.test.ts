import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeSocketFolder } from '../../src/cluster/socket-folder.js';

test('the folder is for this user only', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'w-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const folder = await makeSocketFolder(parent);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
});

test('a place that cannot be written to is told with what to do', async () => {
  // No system lets a folder be made there.
  const error = await makeSocketFolder('/proc').then(assert.fail, (thrown: Error) => thrown);
  assert.match(
    error.message,
    /^no folder for the workers' sockets in \/proc: E[A-Z]+: .*TMPDIR.*tmpfs on \/tmp.*workers: 0/,
  );
});

test('a path in which a socket would be cut off is refused', async () => {
  await assert.rejects(makeSocketFolder(`/tmp/${'x'.repeat(80)}`), /too long a path .*TMPDIR/);
});
