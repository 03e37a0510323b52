// One secret for all edges of a fleet.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followFleetSecret } from '../../src/fleet/fleet-secret.js';
import { FakeFleet } from '../support/fake-fleet.js';

const turns = () => new Promise(setImmediate);
const path = '/weir/secrets/hls-pins';

function edge(fleet: FakeFleet, digit: string) {
  const session = fleet.connect();
  const known: string[] = [];
  const refused: string[] = [];
  const end = followFleetSecret({
    session,
    path,
    make: () => digit.repeat(64),
    known: (secret) => known.push(secret),
    refused: (reason) => refused.push(reason),
  });
  return { session, known, refused, end };
}

test('edges that start at once have one secret, and one that comes later has the same', async () => {
  const fleet = new FakeFleet();
  const [one, other] = [edge(fleet, 'a'), edge(fleet, 'b')];
  await turns();
  const late = edge(fleet, 'c');
  await turns();
  assert.equal(one.known.length, 1);
  assert.deepEqual(other.known, one.known);
  assert.deepEqual(late.known, one.known);
});

test('a secret whose making had no answer is found again', async (t) => {
  const fleet = new FakeFleet();
  const session = fleet.connect();
  session.losesNextAnswer = true;
  const known: string[] = [];
  const options = { session, path, make: () => 'a'.repeat(64), known: (secret: string) => known.push(secret) };
  t.after(followFleetSecret({ ...options, refused: () => undefined }));
  await turns();
  assert.deepEqual(known, []);
  session.news.tell({ kind: 'connected', fresh: false });
  await turns();
  assert.deepEqual(known, ['a'.repeat(64)]);
});

test('what is no secret is not signed with', async (t) => {
  const fleet = new FakeFleet();
  fleet.make(path, 'short', undefined, false);
  const { known, refused, end } = edge(fleet, 'a');
  t.after(end);
  await turns();
  assert.deepEqual(known, []);
  assert.equal(refused.length, 1);
});
