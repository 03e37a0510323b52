import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitQuery } from '../../../src/hls/url/player-query.js';

test('a query is split by the names that count; pins, directives and what follows a pin stay', () => {
  const split = (query: string) => splitQuery(query, new Set(['a']));
  assert.deepEqual(split('?a=1&b=2'), { query: '?a=1', carried: 'b=2' });
  assert.deepEqual(split('?b=2&_HLS_msn=4&_HLS_part=1&c'), { query: '?_HLS_msn=4&_HLS_part=1', carried: 'b=2&c' });
  assert.deepEqual(split('?b=2&weir=x&b=3&_HLS_skip=YES'), { query: '?weir=x&b=3&_HLS_skip=YES', carried: 'b=2' });
  assert.deepEqual(split('?b="'), { query: '', carried: 'b=%22' });
  assert.deepEqual(split('?'), { query: '', carried: '' });
});
