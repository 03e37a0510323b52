import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { decodeBody } from '../../src/upstream/content-coding.js';

const text = Buffer.from('#EXTM3U\n'.repeat(100));
const codings: [string | undefined, Buffer][] = [
  [undefined, text],
  ['identity', text],
  ['gzip', gzipSync(text)],
  ['X-GZIP', gzipSync(text)],
  ['deflate', deflateSync(text)],
  ['deflate', deflateRawSync(text)],
  [' br ', brotliCompressSync(text)],
];
for (const [coding, body] of codings) {
  test(`a body is read whatever it is packed in: ${coding}`, async () => {
    assert.deepEqual(await decodeBody(body, coding, 10_000), text);
  });
}

test('a bomb ends at the bound', async () => {
  const zeros = Buffer.alloc(32 * 1024 * 1024);
  for (const [coding, bomb] of [
    ['gzip', gzipSync(zeros)],
    ['deflate', deflateSync(zeros)],
    ['br', brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })],
  ] as const) {
    assert.ok(bomb.length < 100_000);
    const before = process.memoryUsage().arrayBuffers;
    await assert.rejects(decodeBody(bomb, coding, 1024 * 1024), { code: 'upstream_bad_response' });
    // Garbage counts here, too: all that was unpacked.
    assert.ok(process.memoryUsage().arrayBuffers - before < 8 * 1024 * 1024, coding);
  }
});

test('what nobody knows, several codings and a broken body are a bad response', async () => {
  for (const coding of ['zstd', 'gzip, br', 'constructor', 'gzip']) {
    await assert.rejects(
      decodeBody(Buffer.from('not packed'), coding, 1000),
      { code: 'upstream_bad_response' },
      coding,
    );
  }
});
