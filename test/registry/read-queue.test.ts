import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { ReadQueue } from '../../src/registry/read-queue.js';

let queue: ReadQueue;
let sent: string[];
beforeEach(() => {
  queue = new ReadQueue(() => 10);
  sent = [];
});
const add = (name: string, urgent = false) => queue.add(() => sent.push(name), urgent);
const addMany = (count: number) => {
  for (let i = 0; i < count; i += 1) add(`bulk ${i}`);
};

const all = (count: number) => Array.from({ length: count }, (_, i) => `bulk ${i}`);

test('no more reads are under way than allowed, and the others follow in their order', () => {
  addMany(30);
  for (let answered = 0; answered < 30; answered += 1) {
    assert.ok(sent.length > answered && sent.length - answered <= 10, `${sent.length} sent, ${answered} answered`);
    queue.done();
  }
  assert.deepEqual(sent, all(30));
});

test('the reads of a full read are sent many at a time, when half of those under way are answered', () => {
  addMany(1_000);
  let bursts = 0;
  for (let answered = 0; answered < 1_000; answered += 1) {
    const before = sent.length;
    queue.done();
    if (sent.length > before) bursts += 1;
  }
  assert.equal(sent.length, 1_000);
  assert.ok(bursts <= 200, `${bursts} bursts`);
});

test('a read that follows an event is sent before them, and at once', () => {
  addMany(30);
  const before = sent.length;
  add('urgent', true);
  assert.deepEqual(sent.slice(before), ['urgent']);
  while (sent.length < 10) queue.done();
  const full = sent.length;
  add('waits', true);
  queue.done();
  assert.equal(sent[full], 'waits');
});

test('what is forgotten is never sent', () => {
  addMany(30);
  const before = sent.length;
  queue.clear();
  add('new');
  queue.done();
  assert.deepEqual(sent.slice(before), ['new']);
});

test('a single read at a time goes on', () => {
  queue = new ReadQueue(() => 1);
  addMany(3);
  queue.done();
  queue.done();
  assert.equal(sent.length, 3);
});
