// Who watches what.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxWatchedBytes, maxWatches } from '../../../src/registry/coordination/session.js';
import { WatchTable } from '../../../src/registry/coordination/watch-table.js';

function recorded() {
  const asked: string[] = [];
  const table = new WatchTable(
    (path, what) => asked.push(`+${what} ${path}`),
    (path, what) => asked.push(`-${what} ${path}`),
  );
  return { asked, table };
}

test('any number of listeners share one watch, and the last one ends it', async () => {
  const { asked, table } = recorded();
  const heard: string[] = [];
  const first = table.add('/a', 'data', () => heard.push('first'));
  const second = table.add('/a', 'data', () => heard.push('second'));
  table.add('/a', 'children', () => heard.push('children'));
  assert.deepEqual(asked, ['+data /a', '+children /a']);
  // The watch may be set already: who comes second is told by itself.
  await Promise.resolve();
  assert.deepEqual(heard, ['second']);
  table.changed('/a', 'data');
  assert.deepEqual(heard, ['second', 'first', 'second']);
  first();
  first();
  table.changed('/a', 'data');
  assert.deepEqual(heard.slice(3), ['second']);
  second();
  table.changed('/a', 'data');
  assert.equal(heard.length, 4);
  assert.deepEqual(asked.slice(2), ['-data /a']);
  assert.deepEqual(table.all(), [{ path: '/a', what: 'children' }]);
});

test('a listener that another one ended is not called any more', () => {
  const { table } = recorded();
  const heard: string[] = [];
  let end = () => {};
  table.add('/a', 'data', () => end());
  end = table.add('/a', 'data', () => heard.push('second'));
  table.changed('/a', 'data');
  assert.deepEqual(heard, []);
});

test('the number of watches is bounded, and so are the bytes that re-arm them', () => {
  const many = recorded().table;
  const ends = Array.from({ length: maxWatches }, (_, i) => many.add(`/${i}`, 'data', () => {}));
  assert.throws(() => many.add('/more', 'data', () => {}), { kind: 'busy' });
  ends[0]?.();
  many.add('/more', 'data', () => {});
  const long = recorded().table;
  long.add(`/${'x'.repeat(maxWatchedBytes - 5)}`, 'data', () => {});
  assert.throws(() => long.add('/b', 'data', () => {}), { kind: 'busy' });
});
