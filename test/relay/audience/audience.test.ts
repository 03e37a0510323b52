import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { Audience } from '../../../src/relay/audience/audience.js';
import { Batch } from '../../../src/relay/audience/batch.js';
import { type Delivery, Viewer } from '../../../src/relay/audience/viewer.js';
import { GopCache } from '../../../src/relay/flv/gop-cache.js';
import { type FlvTag, readTag } from '../../../src/relay/flv/tag.js';

const hooks = { onStart: () => undefined, onRefused: () => undefined, onEnd: () => undefined };

/** Notes the batches it is given instead of writing them. */
class Notebook extends Viewer {
  readonly seen: number[] = [];

  constructor() {
    super(new Socket(), 'raw', hooks, 0);
  }

  override take(batch: Batch): Delivery {
    this.seen.push(batch.number);
    return 'sent';
  }
}

function tag(): FlvTag {
  const made = readTag(9, 0, Buffer.from([0x17, 1, 0, 0, 0]));
  assert.ok(made);
  return made;
}
const stream = { cache: new GopCache(1000), lastTime: () => 0 };
const batch = (number: number) => new Batch(number, [tag()], stream, 0);

/** More viewers than are written to in one turn; `each` runs after every batch. */
function audience(count: number, each: (audience: Audience, delivered: number) => void) {
  const viewers = Array.from({ length: count }, () => new Notebook());
  const made: Audience = new Audience(
    { slowTimeoutMs: 1_000, firstByteTimeoutMs: 1_000 },
    { onDelivery: () => undefined, onDelivered: (last) => each(made, last.number) },
    () => 0,
  );
  for (const viewer of viewers) made.add(viewer);
  return { made, viewers };
}
const immediate = () => new Promise((resolve) => setImmediate(resolve));

test('each viewer is given each batch once and in order, also when the next is cut as soon as one is through', async () => {
  const { made, viewers } = audience(1_000, (self, delivered) => {
    if (delivered < 5) self.deliver(batch(delivered + 1), 1000);
  });
  made.deliver(batch(1), 1000);
  while (made.busy) await immediate();
  for (const viewer of viewers) assert.deepEqual(viewer.seen, [1, 2, 3, 4, 5]);
});

test('batches that come while one is given out wait for it', async () => {
  const { made, viewers } = audience(600, () => undefined);
  for (let number = 1; number <= 3; number += 1) made.deliver(batch(number), 1000);
  assert.ok(made.busy);
  while (made.busy) await immediate();
  for (const viewer of viewers) assert.deepEqual(viewer.seen, [1, 2, 3]);
});

test('who leaves while a batch is given out costs nobody else the batch', async () => {
  const { made, viewers } = audience(1_000, () => undefined);
  made.deliver(batch(1), 1000);
  const gone = viewers.filter((_, index) => index % 3 === 0);
  for (const viewer of gone) made.delete(viewer);
  while (made.busy) await immediate();
  for (const viewer of viewers) if (!gone.includes(viewer)) assert.deepEqual(viewer.seen, [1]);
});

test('an audience that is closed amid a batch is not written to any more', async () => {
  const { made, viewers } = audience(1_000, () => undefined);
  made.deliver(batch(1), 1000);
  made.close();
  await immediate();
  assert.equal(made.busy, false);
  assert.equal(viewers.at(-1)?.seen.length, 0);
});
