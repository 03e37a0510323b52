import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegistryNote } from '../../src/registry/registry.js';
import { TreeAccounts, watchedBytesLimit } from '../../src/registry/tree-accounts.js';
import { add, type Census } from '../../src/registry/tree-census.js';

/** A tree with so many faulty nodes, that says how many of them were counted. */
function sourceOf(nodes: number) {
  const source = {
    counted: 0,
    *census(to: Census) {
      for (let i = 0; i < nodes; i += 10) {
        add(to.skipped, 'bad_json', 10);
        source.counted += 10;
        yield 10;
      }
    },
  };
  return source;
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('very many nodes are counted over many turns, and their faults are told once, as one', async () => {
  const [one, other] = [sourceOf(9_000), sourceOf(1_000)];
  const notes: RegistryNote[] = [];
  const accounts = new TreeAccounts([one, other], [], (note) => note.kind === 'census' && notes.push(note));
  accounts.count();
  assert.equal(one.counted, 2_000, 'in the first turn');
  let turns = 0;
  for (; notes.length === 0; turns += 1) await turn();
  assert.ok(turns >= 4 && turns <= 6, `${turns} turns`);
  assert.deepEqual(notes, [{ kind: 'census', skipped: { bad_json: 10_000 }, unknown: {} }]);
  accounts.release();
});

test('a count that is begun anew, or given up, ends the one before', async () => {
  const source = sourceOf(5_000);
  const notes: RegistryNote[] = [];
  const accounts = new TreeAccounts([source], [], (note) => note.kind === 'census' && notes.push(note));
  accounts.count();
  accounts.count();
  while (notes.length === 0) await turn();
  assert.deepEqual(notes, [{ kind: 'census', skipped: { bad_json: 5_000 }, unknown: {} }]);
  source.counted = 0;
  accounts.count();
  accounts.release();
  for (let i = 0; i < 5; i += 1) await turn();
  assert.equal(source.counted, 2_000);
});

test('paths that are nearly too large for one session are an alarm as soon as they are counted', () => {
  const notes: RegistryNote[] = [];
  const share = { bytes: 799_999 };
  const accounts = new TreeAccounts([], [{ bytes: 10 }, share], (note) => note.kind === 'watched' && notes.push(note));
  accounts.count();
  accounts.count();
  share.bytes = 800_000;
  accounts.count();
  share.bytes = watchedBytesLimit;
  accounts.count();
  share.bytes = 20;
  accounts.count();
  assert.deepEqual(
    notes.map((note) => note.kind === 'watched' && [note.bytes, note.sessions, note.alarm]),
    [
      [799_999, 2, false],
      [800_000, 2, true],
      [watchedBytesLimit, 2, true],
      [20, 2, false],
    ],
  );
});
