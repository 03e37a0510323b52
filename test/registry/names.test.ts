import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChannelName } from '../../src/registry/names.js';

test('a channel name is one path segment that a URL and a log line can hold', () => {
  const good = ['news', 'a', 'News-12_hd.v2', 'sport 1', 'öäü', '新闻', '😀', 'x'.repeat(255), '...', '%2f'];
  for (const name of good) assert.equal(parseChannelName(name), name);
  const bad = [
    '',
    '.',
    '..',
    'a/b',
    '/',
    'a\\b',
    'a\nb',
    'a\0',
    '\x7f',
    '\x85',
    '\u2028',
    '\ud800',
    '\ufffd',
    'x'.repeat(256),
    'ö'.repeat(128),
  ];
  for (const name of bad) assert.equal(parseChannelName(name), undefined, JSON.stringify(name));
});
