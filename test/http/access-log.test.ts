import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settings } from '../../src/config/settings.js';
import { type AccessRecord, accessFields } from '../../src/http/access-log.js';

const record: AccessRecord = {
  id: 'r1',
  method: 'GET',
  target: '/live/news.m3u8',
  protocol: 'hls',
  channel: 'news',
  endpoint: 'http://10.0.0.1:8080',
  status: 200,
  code: undefined,
  detail: undefined,
  bytes: 12,
  firstByteSeconds: 0.0012345678,
  durationSeconds: 0.1,
  remote: '10.0.0.9',
  agent: 'player/1',
  viewer: 'user-1\u001b',
};

test('requests are logged only where somebody asked for it', () => {
  assert.equal(settings.get('log.requests')?.default, false);
});

test('a line says who asked for what, where it came from and how it went', () => {
  assert.deepEqual(accessFields(record), {
    id: 'r1',
    method: 'GET',
    protocol: 'hls',
    channel: 'news',
    status: 200,
    code: undefined,
    detail: undefined,
    bytes: 12,
    remote: '10.0.0.9',
    path: '/live/news.m3u8',
    endpoint: 'http://10.0.0.1:8080',
    firstByte: 0.001235,
    duration: 0.1,
    agent: 'player/1',
    viewer: 'user-1?',
  });
});

describe('the path', () => {
  const cases: [target: string, path: string][] = [
    ['/live/news.m3u8?token=secret', '/live/news.m3u8'],
    ['/live/news.m3u8#secret', '/live/news.m3u8'],
    ['http://user:secret@edge/live/news.m3u8?token=secret', '/live/news.m3u8'],
    ['http://user:secret@edge', ''],
    ['*', '*'],
    ['/\u009b2J\u001b[0m', '/?2J?[0m'],
    [`/${'a'.repeat(300)}`, `/${'a'.repeat(255)}…`],
  ];
  for (const [target, path] of cases) {
    test(`of ${JSON.stringify(target.slice(0, 60))} is ${JSON.stringify(path.slice(0, 60))}`, () => {
      assert.equal(accessFields({ ...record, target }).path, path);
    });
  }
});

test("a player's name for itself is bounded and printable", () => {
  const { agent } = accessFields({ ...record, agent: `\u001b${'x'.repeat(10_000)}` });
  assert.equal(agent, `?${'x'.repeat(127)}…`);
  assert.equal(accessFields({ ...record, agent: undefined }).agent, undefined);
});

test('another worker is named as such, not as an address that nobody registered', () => {
  const fields = accessFields({ ...record, endpoint: 'http://~worker-2:1' });
  assert.deepEqual([fields.endpoint, fields.via], [undefined, 'worker-2']);
});
