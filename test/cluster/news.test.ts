import assert from 'node:assert/strict';
import { test } from 'node:test';
import { News, type WorkerNews } from '../../src/cluster/news.js';

const news = (kind: WorkerNews['kind']) => ({ kind }) as WorkerNews;

test('news reach the subscribers of their kind, in the order in which they subscribed, with the worker that they came from', () => {
  const heard: string[] = [];
  const all = new News<string>();
  all.on('sessions', (worker, { kind }) => heard.push(`first ${worker} ${kind}`));
  all.on('intake', (worker, { kind }) => heard.push(`other ${worker} ${kind}`));
  all.on('sessions', (worker, { kind }) => heard.push(`second ${worker} ${kind}`));
  all.emit('worker-1', news('sessions'));
  all.emit('worker-2', news('intake'));
  assert.deepEqual(heard, ['first worker-1 sessions', 'second worker-1 sessions', 'other worker-2 intake']);
});

test('what nobody subscribed to is heard by nobody', () => {
  new News<string>().emit('worker-1', news('sessions'));
});
