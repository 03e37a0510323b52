import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { suite, test } from 'node:test';
import { type Selection, select } from '../../../src/hls/cache/respond.js';

const stored = { etag: '"a"', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' };
const later = 'Fri, 02 Jan 2026 00:00:00 GMT';
const earlier = 'Wed, 31 Dec 2025 00:00:00 GMT';

const cases: [name: string, request: IncomingHttpHeaders, expected: Selection][] = [
  ['nothing asked', {}, { status: 200 }],
  ['from the start', { range: 'bytes=0-' }, { status: 206, start: 0, end: 100 }],
  ['a part', { range: 'bytes=10-19' }, { status: 206, start: 10, end: 20 }],
  ['beyond the end', { range: 'bytes=90-500' }, { status: 206, start: 90, end: 100 }],
  ['the last bytes', { range: 'bytes=-10' }, { status: 206, start: 90, end: 100 }],
  ['more last bytes than there are', { range: 'bytes=-500' }, { status: 206, start: 0, end: 100 }],
  ['no last bytes', { range: 'bytes=-0' }, { status: 416 }],
  ['behind the end', { range: 'bytes=100-' }, { status: 416 }],
  ['backwards', { range: 'bytes=9-3' }, { status: 200 }],
  ['several', { range: 'bytes=0-1,5-6' }, { status: 200 }],
  ['another unit', { range: 'lines=1-2' }, { status: 200 }],
  ['no range at all', { range: 'bytes=-' }, { status: 200 }],
  ['a number that is too long', { range: `bytes=${'9'.repeat(40)}-` }, { status: 200 }],
  ['the same tag', { 'if-none-match': '"a"' }, { status: 304 }],
  ['one of several tags', { 'if-none-match': '"x", W/"a"' }, { status: 304 }],
  ['any tag', { 'if-none-match': '*' }, { status: 304 }],
  ['another tag', { 'if-none-match': '"b"' }, { status: 200 }],
  ['another tag, though older', { 'if-none-match': '"b"', 'if-modified-since': later }, { status: 200 }],
  ['not modified since', { 'if-modified-since': later }, { status: 304 }],
  ['modified since', { 'if-modified-since': earlier }, { status: 200 }],
  ['no date', { 'if-modified-since': 'soon' }, { status: 200 }],
  ['a range that still applies', { range: 'bytes=0-1', 'if-range': '"a"' }, { status: 206, start: 0, end: 2 }],
  ['a range that does not', { range: 'bytes=0-1', 'if-range': '"b"' }, { status: 200 }],
  ['a range by a weak tag', { range: 'bytes=0-1', 'if-range': 'W/"a"' }, { status: 200 }],
];
test('HEAD is answered as the whole, whatever its Range says, and conditionally', () => {
  const head = (headers: IncomingHttpHeaders) => select({ method: 'HEAD', headers }, stored, 100);
  assert.deepEqual(head({ range: 'bytes=10-19' }), { status: 200 });
  assert.deepEqual(head({ range: 'bytes=100-' }), { status: 200 });
  assert.deepEqual(head({ 'if-none-match': '"a"' }), { status: 304 });
});

suite('a stored object answers', () => {
  for (const [name, request, expected] of cases) {
    test(name, () => assert.deepEqual(select({ method: 'GET', headers: request }, stored, 100), expected));
  }
});
