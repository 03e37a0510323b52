import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { SharedFrame } from '../../../src/relay/audience/frames.js';
import { type FlvTag, readTag } from '../../../src/relay/flv/tag.js';
import { fileHeader } from '../../../src/relay/flv/writer.js';
import { parseWhole } from '../../support/flv-bytes.js';
import { sample, tagsOf } from '../samples.js';

/** The parser of ws, which its types leave out. */
const { Receiver } = createRequire(import.meta.url)('ws') as {
  Receiver: new (options: { isServer: boolean }) => import('node:stream').Writable;
};

const tag = (size: number, timestamp = 0): FlvTag => {
  const made = readTag(9, timestamp, Buffer.alloc(size, 0x27));
  assert.ok(made);
  return made;
};

test('tags come out of a frame as they went in', () => {
  const tags = tagsOf([sample('h264-aac')]);
  const file = new SharedFrame(tags, fileHeader(true, true)).as('raw');
  assert.deepEqual(
    parseWhole(file).tags,
    tags.map(({ type, timestamp, body }) => ({ type, timestamp, body })),
  );
});

test('the file header claims the tracks it is told', () => {
  for (const [audio, video] of [
    [true, true],
    [true, false],
    [false, true],
  ] as const) {
    const { hasAudio, hasVideo } = parseWhole(fileHeader(audio, video));
    assert.deepEqual([hasAudio, hasVideo], [audio, video]);
  }
});

test('timestamps keep all their 32 bits', () => {
  for (const timestamp of [0xffffff, 0x1000000, 0x80000000, 0xffffffff]) {
    const file = new SharedFrame([tag(5, timestamp)], fileHeader(true, true)).as('raw');
    assert.equal(parseWhole(file).tags[0]?.timestamp, timestamp);
  }
});

test('the chunked form is one chunk around the raw one, in the same memory', () => {
  const frame = new SharedFrame([tag(3000)]);
  const raw = frame.as('raw');
  const chunked = frame.as('chunked');
  assert.equal(chunked.toString('latin1', 0, 5), `${raw.length.toString(16)}\r\n`);
  assert.equal(chunked.toString('latin1', chunked.length - 2), '\r\n');
  assert.equal(raw.buffer, chunked.buffer);
  assert.equal(frame.length, raw.length);
});

test('a WebSocket client reads one binary message, whatever its length form', async () => {
  for (const size of [1, 110, 111, 65520, 65521, 300_000]) {
    const frame = new SharedFrame([tag(size)]);
    const message = await new Promise<Buffer>((resolve, reject) => {
      const receiver = new Receiver({ isServer: false });
      receiver.on('message', (data: Buffer, binary: boolean) => (binary ? resolve(data) : reject(new Error('text'))));
      receiver.on('error', reject);
      receiver.write(frame.as('websocket'));
    });
    assert.deepEqual(message, Buffer.from(frame.as('raw')), `${size}`);
  }
});

test('every framing is made once and shared', () => {
  const frame = new SharedFrame([tag(10)]);
  for (const framing of ['chunked', 'raw', 'websocket'] as const) assert.equal(frame.as(framing), frame.as(framing));
});
