import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as tick } from 'node:timers/promises';
import type { ChannelName, Endpoint, EndpointId, ServiceAddress } from '../../src/model.js';
import type { ChildMessage } from '../../src/registry/messages.js';
import { Outbox } from '../../src/registry/outbox.js';

const endpoint = (id: string, version = 0): Endpoint => ({
  id: id as EndpointId,
  channel: 'news' as ChannelName,
  address: 'o:80' as ServiceAddress,
  load: undefined,
  bitrate: undefined,
  packetLoss: undefined,
  version,
});

/** An outbox whose messages are taken one by one, when the test says so. */
function slowOutbox() {
  const sent: { message: ChildMessage; taken: () => void }[] = [];
  const outbox = new Outbox((message, taken) => sent.push({ message, taken }));
  const next = async (): Promise<ChildMessage | undefined> => {
    await tick();
    const first = sent.shift();
    first?.taken();
    return first?.message;
  };
  return { outbox, next };
}

test('the changes of a tick travel in one message, the latest of an endpoint only', async () => {
  const { outbox, next } = slowOutbox();
  outbox.put(endpoint('a', 1), 10);
  outbox.put(endpoint('b', 1));
  outbox.put(endpoint('a', 2), 20);
  outbox.drop('b' as EndpointId, 30);
  outbox.note({ kind: 'event', event: 'child' });
  assert.deepEqual(await next(), {
    kind: 'batch',
    changes: [
      { kind: 'put', endpoint: endpoint('a', 2), seenAt: 20 },
      { kind: 'drop', id: 'b', seenAt: 30 },
    ],
    notes: [{ kind: 'event', event: 'child' }],
    status: undefined,
  });
  assert.equal(await next(), undefined);
});

test('a picture goes in parts, and what changes meanwhile and the status follow it', async () => {
  const { outbox, next } = slowOutbox();
  outbox.put(endpoint('old'));
  outbox.replace(Array.from({ length: 2_500 }, (_, i) => endpoint(`e${i}`)));
  outbox.status('live');
  const sizes: number[] = [];
  for (let part = await next(); part?.kind === 'replace'; part = await next()) {
    sizes.push(part.endpoints.length);
    assert.equal(part.first, sizes.length === 1);
    assert.equal(part.last, sizes.length === 3);
    if (part.last) break;
    outbox.put(endpoint('e1', 7));
  }
  assert.deepEqual(sizes, [1_000, 1_000, 500]);
  const rest = await next();
  assert.deepEqual(rest, {
    kind: 'batch',
    changes: [{ kind: 'put', endpoint: endpoint('e1', 7), seenAt: undefined }],
    notes: [],
    status: 'live',
  });
});

test('an empty picture is told as well', async () => {
  const { outbox, next } = slowOutbox();
  outbox.replace([]);
  assert.deepEqual(await next(), { kind: 'replace', first: true, last: true, endpoints: [] });
});

test('a parent that takes nothing costs one entry an endpoint and a bounded number of notes', async () => {
  const sent: ChildMessage[] = [];
  const outbox = new Outbox((message) => sent.push(message));
  outbox.put(endpoint('first'));
  await tick();
  assert.equal(sent.length, 1);
  for (let i = 0; i < 50_000; i++) {
    outbox.put(endpoint(`e${i % 10}`, i));
    outbox.note({ kind: 'event', event: 'changed' });
  }
  await tick();
  assert.equal(sent.length, 1);
});

test('a newer picture takes the place of one that was not sent to its end', async () => {
  const { outbox, next } = slowOutbox();
  outbox.replace(Array.from({ length: 1_500 }, (_, i) => endpoint(`e${i}`)));
  await next();
  outbox.replace([endpoint('only')]);
  const messages: ChildMessage[] = [];
  for (let message = await next(); message !== undefined; message = await next()) messages.push(message);
  assert.deepEqual(messages.at(-1), { kind: 'replace', first: true, last: true, endpoints: [endpoint('only')] });
});

test('a flood of events is cut, and what tells of a state arrives all the same', async () => {
  const { outbox, next } = slowOutbox();
  for (let i = 0; i < 20_000; i++) outbox.note({ kind: 'event', event: 'changed' });
  outbox.note({ kind: 'session', state: 'connecting' });
  outbox.note({ kind: 'census', skipped: { bad_json: 1 }, unknown: {} });
  const kinds = new Map<string, number>();
  for (let message = await next(); message?.kind === 'batch'; message = await next()) {
    for (const { kind } of message.notes) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  assert.deepEqual(Object.fromEntries(kinds), { event: 10_000, session: 1, census: 1 });
});
