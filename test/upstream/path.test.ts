import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalPath, isSafePath } from '../../src/upstream/path.js';

test('a path that leads elsewhere once it is resolved is not safe, however it is spelled', () => {
  const unsafe = [
    '/a/../b',
    '/%2e%2e/b',
    '/.%2E',
    '..',
    '../x',
    '/a/./b',
    '/a%2fb',
    '/a%5Cb',
    '/a\\b',
    '/a%00',
    '/%zz',
    '/ä',
  ];
  for (const path of unsafe) assert.equal(isSafePath(path), false, path);
  for (const path of ['/a..b/c', '/...', '/a.b/%20', '/%252e%252e/b']) assert.equal(isSafePath(path), true, path);
});

test('paths that mean the same have one spelling', () => {
  assert.equal(canonicalPath('/%61%2d%2E%5f%7e%2f%c3%A4'), '/a-._~%2F%C3%A4');
  assert.equal(canonicalPath('/plain-1.ts'), '/plain-1.ts');
});
