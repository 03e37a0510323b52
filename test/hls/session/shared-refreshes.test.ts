import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { WeirError } from '../../../src/errors.js';
import { StatusError } from '../../../src/hls/session/playlist-loader.js';
import { SharedRefreshes } from '../../../src/hls/session/shared-refreshes.js';

let asked: {
  readonly query: string;
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
}[];
let refreshes: SharedRefreshes<string>;

beforeEach(() => {
  asked = [];
  refreshes = new SharedRefreshes(
    (query) =>
      new Promise((resolve, reject) => {
        asked.push({ query, resolve, reject });
      }),
  );
});

/** All that follows at once has happened. */
const turn = () => new Promise((resolve) => setImmediate(resolve));
const queries = () => asked.map(({ query }) => query);

test('who asks with the same query waits for the same answer, and the next one asks anew', async () => {
  const both = [refreshes.ask('t=1', 't=2'), refreshes.ask('t=1', 't=3')];
  assert.deepEqual(queries(), ['t=1']);
  asked[0]?.resolve('list');
  assert.deepEqual(await Promise.all(both), ['list', 'list']);
  void refreshes.ask('t=1', 't=1');
  assert.deepEqual(queries(), ['t=1', 't=1']);
});

test('where the query that worked last is refused, the own one is tried', async () => {
  const answer = refreshes.ask('old', 'own');
  asked[0]?.reject(new StatusError(403));
  await turn();
  assert.deepEqual(queries(), ['old', 'own']);
  asked[1]?.resolve('list');
  assert.equal(await answer, 'list');
});

test('a failure that is no refusal is nothing that another query would mend', async () => {
  const answer = refreshes.ask('old', 'own');
  asked[0]?.reject(new WeirError('upstream_connect'));
  await assert.rejects(answer, { code: 'upstream_connect' });
  assert.deepEqual(queries(), ['old']);
});

test('so many queries are tried at once, and no more', async () => {
  for (let count = 0; count < 8; count += 1) refreshes.ask(`t=${count}`, '').catch(() => undefined);
  await assert.rejects(refreshes.ask('t=8', ''), { code: 'no_endpoint' });
  assert.equal(asked.length, 8);
});
