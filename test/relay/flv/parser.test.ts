import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FlvError, FlvParser } from '../../../src/relay/flv/parser.js';
import type { FlvTag } from '../../../src/relay/flv/tag.js';
import { flvFile, flvTag, parseWhole } from '../../support/flv-bytes.js';
import { runs, thorough } from '../../support/runs.js';
import { sample, sampleNames, tagsOf } from '../samples.js';

const plain = (tags: readonly FlvTag[]) => tags.map(({ type, timestamp, body }) => ({ type, timestamp, body }));
const video = (...bytes: number[]) => Buffer.from([0x17, 1, 0, 0, 0, ...bytes]);

for (const name of sampleNames) {
  test(`${name}: every tag comes out whole, wherever the stream is cut in two`, () => {
    const file = sample(name);
    const expected = plain(tagsOf([file]));
    const whole = parseWhole(file).tags.filter((tag) => tag.body.length > 0);
    // ffmpeg ends H.264 with an end of sequence, which the parser leaves out.
    assert.deepEqual(
      expected,
      whole.filter((tag) => !(tag.type === 9 && tag.body.equals(Buffer.from([0x17, 2, 0, 0, 0])))),
    );
    // A prime, so that the quick tests, too, cut each part of a tag somewhere.
    for (let cut = 0; cut <= file.length; cut += thorough ? 1 : 13) {
      const tags = tagsOf([file.subarray(0, cut), file.subarray(cut)]);
      assert.equal(tags.length, expected.length, `cut at ${cut}`);
      assert.ok(
        tags.every((tag, index) => tag.body.equals(expected[index]?.body ?? Buffer.alloc(0))),
        `cut at ${cut}`,
      );
    }
  });

  test(`${name}: byte by byte gives the same tags`, () => {
    const file = sample(name);
    const bytes = Array.from(file, (_, index) => file.subarray(index, index + 1));
    assert.deepEqual(tagsOf(bytes), tagsOf([file]));
  });
}

test('any cutting gives the same tags', () => {
  const file = sample('h264-aac');
  const expected = tagsOf([file]);
  fc.assert(
    fc.property(fc.array(fc.nat(file.length), { maxLength: 40 }), (cuts) => {
      const edges = [0, ...cuts.sort((a, b) => a - b), file.length];
      const chunks = edges.slice(1).map((edge, index) => file.subarray(edges[index] ?? 0, edge));
      assert.deepEqual(tagsOf(chunks), expected);
    }),
    { numRuns: 100 },
  );
});

test('a tag within one chunk is a view of it, not a copy', () => {
  const file = flvFile(true, true, [flvTag(9, 40, video(1, 2, 3))]);
  const [tag] = tagsOf([file]);
  assert.equal(tag?.body.buffer, file.buffer);
});

test('broken streams end with an error that names the fault, and whole tags before it were seen', () => {
  const good = flvTag(9, 0, video(7));
  const wrongSize = Buffer.from(good);
  wrongSize[wrongSize.length - 1] = 0;
  const long = Buffer.from([9, 0x7f, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0]);
  const header = flvFile(true, true, []);
  const badHeader = Buffer.from(header);
  badHeader[8] = 3;
  const cases: [string, Buffer, number][] = [
    ['bad_signature', Buffer.from('<html><body>404</body></html>'), 0],
    ['bad_signature', Buffer.from('HTTP/1.1 200 OK\r\n'), 0],
    ['bad_header', badHeader, 0],
    ['bad_header', Buffer.from([0x46, 0x4c, 0x56, 1, 5, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]), 0],
    ['bad_tag_header', Buffer.concat([header, good, Buffer.from('HTTP/1.1 502')]), 1],
    ['bad_tag_header', Buffer.concat([header, good, Buffer.alloc(16, 0xff)]), 1],
    ['bad_previous_tag_size', Buffer.concat([header, good, wrongSize, Buffer.from('<html>no such stream')]), 1],
    ['bad_previous_tag_size', Buffer.concat([header, good, wrongSize, Buffer.alloc(11)]), 1],
    ['bad_previous_tag_size', Buffer.concat([header, good, wrongSize, Buffer.alloc(11, 8)]), 1],
    ['bad_tag_header', Buffer.concat([header, good, Buffer.from('<html>no such stream')]), 1],
    ['tag_too_large', Buffer.concat([header, good, long]), 1],
  ];
  for (const [fault, stream, seen] of cases) {
    const tags: FlvTag[] = [];
    const parser = new FlvParser({ onHeader: () => undefined, onTag: (tag) => tags.push(tag) }, 1 << 20);
    assert.throws(
      () => parser.push(stream),
      (error: unknown) => error instanceof FlvError && error.fault === fault && error.message.length > 10,
      fault,
    );
    assert.equal(tags.length, seen, fault);
  }
});

test('a wrong PreviousTagSize is told of and costs no tag, however the stream is cut', () => {
  const made = Array.from({ length: 4 }, (_, index) => flvTag(9, 40 * index, video(index)));
  for (const wrong of [0, 15, 0x1234_5678]) {
    for (const tag of made.slice(0, 3)) tag.writeUInt32BE(wrong, tag.length - 4);
    const stream = flvFile(true, true, made);
    for (const size of [1, 7, 26, stream.length]) {
      const seen: number[] = [];
      let warnings = 0;
      const parser = new FlvParser(
        {
          onHeader: () => undefined,
          onTag: (tag) => seen.push(tag.timestamp),
          onWrongTagSize: () => {
            warnings += 1;
          },
        },
        1000,
      );
      for (let at = 0; at < stream.length; at += size) parser.push(stream.subarray(at, at + size));
      assert.deepEqual([seen, warnings], [[0, 40, 80, 120], 3], `${wrong} in pieces of ${size}`);
    }
  }
});

test('a flipped bit, a lost stretch or garbage never crashes and never yields a tag of another size than claimed', () => {
  const file = sample('h264-aac');
  const mutation = fc.record({
    at: fc.nat(file.length - 1),
    cut: fc.nat(300),
    insert: fc.uint8Array({ maxLength: 60 }),
    chunk: fc.integer({ min: 1, max: 5000 }),
  });
  fc.assert(
    fc.property(mutation, ({ at, cut, insert, chunk }) => {
      const stream = Buffer.concat([file.subarray(0, at), insert, file.subarray(at + cut)]);
      const chunks: Buffer[] = [];
      for (let from = 0; from < stream.length; from += chunk) chunks.push(stream.subarray(from, from + chunk));
      try {
        for (const tag of tagsOf(chunks)) assert.ok(tag.body.length > 0 && tag.body.length <= 1 << 20);
      } catch (error) {
        assert.ok(error instanceof FlvError, String(error));
      }
    }),
    { numRuns: runs(200, 5000) },
  );
});

test('pure noise is refused at once', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 9, maxLength: 200 }), (noise) => {
      fc.pre(Buffer.from(noise).toString('latin1', 0, 3) !== 'FLV');
      assert.throws(() => tagsOf([Buffer.from(noise)]), FlvError);
    }),
  );
});

test('a second header between tags is taken off, and the caller hears of it', () => {
  const one = flvFile(false, true, [flvTag(9, 100, video(1))]);
  const two = flvFile(true, true, [flvTag(9, 0, video(2))]);
  const stream = Buffer.concat([one, two]);
  for (let cut = 0; cut <= stream.length; cut += 1) {
    const seen: string[] = [];
    const parser = new FlvParser(
      {
        onHeader: (audio, video) => seen.push(`header ${audio} ${video}`),
        onTag: (tag) => seen.push(`tag ${tag.timestamp}`),
      },
      1000,
    );
    parser.push(stream.subarray(0, cut));
    parser.push(stream.subarray(cut));
    assert.deepEqual(seen, ['header false true', 'tag 100', 'header true true', 'tag 0'], `cut at ${cut}`);
  }
});

test('timestamps have 32 bits', () => {
  for (const timestamp of [0, 0xffffff, 0x1000000, 0x7fffffff, 0xffffffff]) {
    assert.equal(tagsOf([flvFile(true, true, [flvTag(9, timestamp, video())])])[0]?.timestamp, timestamp);
  }
});

test('unknown tag types are left out and the tags after them are not lost', () => {
  const stream = flvFile(true, true, [
    flvTag(15, 0, Buffer.from('?')),
    flvTag(9, 1, Buffer.alloc(0)),
    flvTag(9, 2, video()),
  ]);
  assert.deepEqual(
    tagsOf([stream]).map((tag) => tag.timestamp),
    [2],
  );
});
