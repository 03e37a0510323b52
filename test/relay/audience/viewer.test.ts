// One viewer's writing, on a real socket whose other end does not read.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { Batch, joinFrame } from '../../../src/relay/audience/batch.js';
import { Viewer } from '../../../src/relay/audience/viewer.js';
import { GopCache } from '../../../src/relay/flv/gop-cache.js';
import { type FlvTag, readTag } from '../../../src/relay/flv/tag.js';
import { cleanupsAfterEach } from '../../support/cleanups.js';
import { parseWhole } from '../../support/flv-bytes.js';
import { waitFor } from '../../support/wait.js';

const cleanups = cleanupsAfterEach();

async function socketPair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [near] = (await once(server, 'connection')) as [Socket];
  cleanups.push(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  far.pause();
  return { near, far };
}

const hooks = { onStart: () => undefined, onRefused: () => undefined, onEnd: () => undefined };
const limit = 1 << 20;
const slowTimeoutMs = 15_000;
const patience = { slowTimeoutMs, firstByteTimeoutMs: 5_000 };

/** A stream with a keyframe every tenth batch of 100 ms; each frame has 100 KB. */
class Stream {
  readonly cache = new GopCache(1 << 24);
  number = 0;
  endBytes = 0;
  timestamp = 0;

  constructor() {
    this.cache.push(this.#tag(0x17, 0, 10));
  }

  lastTime(): number {
    return this.timestamp;
  }

  batch(): Batch {
    this.number += 1;
    this.timestamp = this.number * 100;
    const tag = this.#tag(this.number % 10 === 1 ? 0x17 : 0x27, 1, 100_000);
    this.cache.push(tag);
    const batch = new Batch(this.number, [tag], this, this.endBytes);
    this.endBytes = batch.endBytes;
    return batch;
  }

  #tag(first: number, second: number, size: number): FlvTag {
    const body = Buffer.alloc(size);
    body.set([first, second]);
    const tag = readTag(9, this.timestamp, body);
    assert.ok(tag);
    return tag;
  }
}

async function received(far: Socket): Promise<ReturnType<typeof parseWhole>['tags']> {
  const chunks: Buffer[] = [];
  far.on('data', (chunk) => chunks.push(chunk));
  far.resume();
  await once(far, 'end');
  return parseWhole(Buffer.concat(chunks)).tags;
}

test('a viewer who does not read holds no more than the limit, skips, and goes on with a keyframe', async () => {
  const { near, far } = await socketPair();
  const stream = new Stream();
  const viewer = new Viewer(near, 'raw', hooks, 0);
  viewer.join(joinFrame(stream) ?? null, stream, undefined);
  const deliveries: string[] = [];
  const take = () => {
    deliveries.push(viewer.take(stream.batch(), limit, patience, 0));
    assert.ok(near.writableLength <= limit, `holds ${near.writableLength}`);
  };
  // The kernel's buffers fill first.
  while (deliveries.at(-1) !== 'skipped' && deliveries.length < 500) take();
  assert.equal(deliveries.at(-1), 'skipped');
  for (let count = 0; count < 25; count += 1) take();
  assert.ok(deliveries.slice(-25).every((delivery) => delivery === 'waiting'));
  const skippedAt = stream.timestamp;
  const reading = received(far);
  await waitFor(() => near.writableLength === 0, { what: 'the socket to drain' });
  for (let count = 0; count < 12; count += 1) take();
  near.end();
  const tags = await reading;
  const resumed = tags.findIndex((tag) => tag.timestamp > skippedAt);
  assert.deepEqual(
    tags.slice(resumed, resumed + 2).map((tag) => [tag.body[0], tag.body[1]]),
    [
      [0x17, 0],
      [0x17, 1],
    ],
    'the header, then a keyframe',
  );
  assert.ok(tags.every((tag, index) => index === 0 || tag.timestamp >= (tags[index - 1]?.timestamp ?? 0)));
});

test('a viewer who stays slow beyond the timeout is given up', async () => {
  const { near } = await socketPair();
  const stream = new Stream();
  const viewer = new Viewer(near, 'raw', hooks, 0);
  viewer.join(joinFrame(stream) ?? null, stream, undefined);
  while (viewer.take(stream.batch(), limit, patience, 1_000) !== 'skipped');
  assert.equal(viewer.take(stream.batch(), limit, patience, 1_000 + slowTimeoutMs - 1), 'waiting');
  assert.equal(viewer.take(stream.batch(), limit, patience, 1_000 + slowTimeoutMs), 'too_slow');
});

test('a group larger than the limit is given on joining all the same', async () => {
  const { near, far } = await socketPair();
  const stream = new Stream();
  const batches = Array.from({ length: 9 }, () => stream.batch());
  const viewer = new Viewer(near, 'raw', hooks, 0);
  viewer.join(joinFrame(stream) ?? null, stream, undefined);
  assert.equal(viewer.take(batches.at(-1) as Batch, limit, patience, 0), 'waiting', 'already in the group');
  near.end();
  assert.equal((await received(far)).length, 10);
});

test('where there is no group yet, the stream begins with the next keyframe, behind a file header', async () => {
  const { near, far } = await socketPair();
  const stream = new Stream();
  stream.batch();
  stream.cache.dropGroup();
  const viewer = new Viewer(near, 'raw', hooks, 0);
  viewer.join(joinFrame(stream) ?? null, stream, undefined);
  const deliveries = Array.from({ length: 11 }, () => viewer.take(stream.batch(), limit, patience, 0));
  assert.deepEqual([...new Set(deliveries.slice(0, 9))], ['waiting']);
  assert.deepEqual(deliveries.slice(9), ['entered', 'sent']);
  near.end();
  const tags = await received(far);
  assert.deepEqual(
    tags.map((tag) => [tag.body[0], tag.body[1], tag.timestamp]),
    [
      [0x17, 0, 1100],
      [0x17, 1, 1100],
      [0x27, 1, 1200],
    ],
  );
});

test('where no keyframe comes, the stream begins without one after a while, for who joins and for who skipped', async () => {
  const { near, far } = await socketPair();
  const stream = new Stream();
  stream.batch();
  stream.cache.dropGroup();
  const viewer = new Viewer(near, 'raw', hooks, 1_000);
  viewer.join(joinFrame(stream) ?? null, stream, undefined);
  const take = (now: number) => viewer.take(stream.batch(), limit, patience, now);
  assert.equal(take(1_000 + patience.firstByteTimeoutMs - 1), 'waiting');
  assert.equal(take(1_000 + patience.firstByteTimeoutMs), 'entered');
  near.end();
  const tags = await received(far);
  assert.deepEqual(
    tags.map((tag) => [tag.body[0], tag.body[1]]),
    [
      [0x17, 0],
      [0x27, 1],
    ],
  );
});

test('who joins while the camera is off hears the sound at once, and is told of no pictures', () => {
  const stream = new Stream();
  stream.batch();
  const tag = (timestamp: number, ...body: number[]) => {
    const made = readTag(8, timestamp, Buffer.from(body));
    assert.ok(made);
    return made;
  };
  stream.cache.push(tag(0, 0xaf, 0, 0x12, 0x10));
  const sound = Array.from({ length: 200 }, (_, index) => tag(index * 23, 0xaf, 1));
  for (const each of sound) stream.cache.push(each);
  const batch = new Batch(2, sound.slice(-4), stream, 0);
  for (const frame of [joinFrame(stream), batch.opening()]) {
    const file = parseWhole(frame?.as('raw') ?? Buffer.alloc(0));
    assert.deepEqual([file.hasAudio, file.hasVideo], [true, false]);
    assert.ok(file.tags.every(({ type }) => type === 8));
  }
  assert.ok(batch.entry() !== undefined, 'and who skipped goes on');
});

test('all viewers of a batch are written the same memory', () => {
  const batch = new Stream().batch();
  assert.equal(batch.frame.as('chunked'), batch.frame.as('chunked'));
  assert.equal(batch.entry(), batch.entry());
  assert.equal(batch.opening(), batch.opening());
});
