import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinds } from '../../../src/agent/kinds.js';
import type { Question, Reply } from '../../../src/agent/request.js';
import { hear, read } from '../../support/media-api.js';

const live = {
  key: '/live/news',
  app: 'live',
  name: 'news',
  status: 'publishing',
  publisher: { id: 'ab12', ip: '127.0.0.1', protocol: 'rtmp', inBytes: 1000 },
  subscribers: 3,
  outBytes: 0,
  inBps: 125_000,
  outBps: 0,
  recording: false,
};
const answer = (...streams: unknown[]) => ({
  '/api/v1/streams': { success: true, data: { streams, total: 1 }, message: '' },
});
const found = { vhost: '', app: 'live', name: 'news', publisher: 'ab12', viewers: 3, bitrate: 1000 };

test('a stream that is published is found, with its viewers and bitrate', async () => {
  assert.deepEqual(await read('node-media-server', answer(live)), { streams: [found] });
});

test('a stream without a publisher is none, and neither is one whose publisher is waited for', async () => {
  const others = [
    { ...live, status: 'reconnecting' },
    { ...live, publisher: null, status: 'idle' },
    { ...live, name: '' },
  ];
  assert.deepEqual(await read('node-media-server', answer(...others)), { streams: [] });
  const { status: _, ...older } = live;
  assert.deepEqual(await read('node-media-server', answer(older)), { streams: [found] });
});

test('its notifications tell that a stream begins and ends; they come twice, and players have some too', () => {
  const body = { id: 'ab12', ip: '127.0.0.1', app: 'live', name: 'news', query: {}, protocol: 'rtmp' };
  const stream = { vhost: '', app: 'live', name: 'news', publisher: 'ab12' };
  assert.deepEqual(hear('node-media-server', { body: { ...body, action: 'postPublish' } }), {
    kind: 'published',
    stream,
  });
  assert.deepEqual(hear('node-media-server', { body: { ...body, action: 'donePublish' } }), {
    kind: 'unpublished',
    stream,
  });
  for (const action of ['prePublish', 'prePlay', 'postPlay', 'donePlay', 'postRecord']) {
    assert.equal(hear('node-media-server', { body: { ...body, action } }), undefined);
  }
});

/** A server that asks for a login; `password` is what it takes. */
function locked(password: string) {
  const questions: Question[] = [];
  let valid = '';
  const ask = async (question: Question): Promise<Reply> => {
    questions.push(question);
    if (question.path === '/api/v1/login') {
      if ((question.json as { password: string }).password !== password) return { status: 401, text: '{}' };
      valid = `token-${questions.length}`;
      return { status: 200, text: JSON.stringify({ success: true, data: { token: valid } }) };
    }
    if (valid === '' || question.headers?.['authorization'] !== `Bearer ${valid}`) return { status: 401, text: '{}' };
    return { status: 200, text: JSON.stringify(answer(live)['/api/v1/streams']) };
  };
  return { ask, questions, expire: () => (valid = 'another') };
}

test('it logs in once, and again when the token is over', async () => {
  const { ask, questions, expire } = locked('pw');
  const server = kinds['node-media-server'].create({ user: 'admin', secret: 'pw' }, () => 0);
  await server.read(ask);
  await server.read(ask);
  assert.equal(questions.filter(({ path }) => path === '/api/v1/login').length, 1);
  expire();
  assert.equal((await server.read(ask)).streams.length, 1);
  assert.equal(questions.filter(({ path }) => path === '/api/v1/login').length, 2);
});

test('a refused login is not tried every second: the account would be locked', async () => {
  const { ask, questions } = locked('pw');
  let now = 0;
  const server = kinds['node-media-server'].create({ user: 'admin', secret: 'wrong' }, () => now);
  for (; now < 299_000; now += 1_000) await assert.rejects(server.read(ask), { name: 'BadAnswer' });
  assert.equal(questions.length, 1);
  now = 300_000;
  await assert.rejects(server.read(ask), { name: 'BadAnswer' });
  assert.equal(questions.length, 2);
});
