import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, test } from 'node:test';
import { type PageServer, startPageServer } from '../../src/demo/page-server.js';

let page: PageServer;
const asked: string[] = [];
const admin = createServer((request, response) => {
  asked.push(request.url ?? '');
  response.writeHead(request.url === '/api/v1/snapshot' ? 200 : 404, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ path: request.url }));
});

before(async () => {
  await new Promise<void>((resolve) => admin.listen(0, '127.0.0.1', resolve));
  page = await startPageServer({
    host: '127.0.0.1',
    port: 0,
    channels: ['news'],
    dataPort: 8080,
    adminAddress: `127.0.0.1:${(admin.address() as AddressInfo).port}`,
    origins: () => [{ name: 'origin-1', address: '127.0.0.1:9001' }],
  });
});
after(async () => {
  await page.close();
  admin.closeAllConnections();
  admin.close();
});

const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${page.port}${path}`, init);

/** The status of a request whose target no client library would send as it is. */
function rawStatus(target: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(page.port, '127.0.0.1', () => {
      socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    });
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('end', () => resolve(Number(text.split(' ')[1])));
  });
}

const types: [string, RegExp, RegExp][] = [
  ['/', /^text\/html/, /<video/],
  ['/main.js', /^text\/javascript/, /createPlayer/],
  ['/player.js', /^text\/javascript/, /mpegts/],
  ['/endpoints.js', /^text\/javascript/, /showEndpoints/],
  ['/style.css', /^text\/css/, /video/],
  ['/vendor/hls.min.js', /^text\/javascript/, /Hls/],
  ['/vendor/mpegts.js', /^text\/javascript/, /mpegts/],
  ['/settings.json', /^application\/json/, /"dataPort":8080/],
];
for (const [path, type, content] of types) {
  test(`${path} is served with its type`, async () => {
    const answer = await get(path);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type') ?? '', type);
    assert.match(await answer.text(), content);
  });
}

test('what the page refers to is served', async () => {
  const html = await (await get('/')).text();
  const references = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
  const files = references.filter((reference) => !reference.startsWith('data:'));
  assert.ok(files.length >= 4);
  for (const file of files) assert.equal((await get(`/${file}`)).status, 200, file);
});

test('scripts come from the page itself, media from the data port alone', async () => {
  const policy = (await get('/')).headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'(;|$)/);
  assert.match(policy, /connect-src 'self' http:\/\/\*:8080 ws:\/\/\*:8080(;|$)/);
});

for (const target of [
  '/../package.json',
  '/vendor/../main.ts',
  '/%2e%2e/package.json',
  '/vendor/%2e%2e/%2e%2e/package.json',
  '//etc/passwd',
  '/..%2f..%2fpackage.json',
  '/index.html%00.js',
  '/api/snapshot/../../metrics',
  '/api/explain/other',
  '/__proto__',
]) {
  test(`${target} does not exist`, async () => assert.equal(await rawStatus(target), 404));
}

test('the picture of the endpoints is passed on, and no other path of the admin listener', async () => {
  asked.length = 0;
  const snapshot = await get('/api/snapshot');
  assert.deepEqual([snapshot.status, await snapshot.json()], [200, { path: '/api/v1/snapshot' }]);
  assert.equal((await get('/api/explain/news')).status, 404);
  assert.equal((await get('/api/metrics')).status, 404);
  assert.deepEqual(asked, ['/api/v1/snapshot', '/api/v1/channels/news/explain']);
});

test('the page can name the endpoints', async () => {
  const settings = (await (await get('/settings.json')).json()) as Record<string, unknown>;
  assert.deepEqual(settings, {
    channels: ['news'],
    dataPort: 8080,
    origins: [{ name: 'origin-1', address: '127.0.0.1:9001' }],
  });
});

test('other methods than GET and HEAD are refused', async () => {
  assert.equal((await get('/', { method: 'POST' })).status, 405);
  const head = await get('/', { method: 'HEAD' });
  assert.deepEqual([head.status, await head.text()], [200, '']);
});

test('an admin listener that is gone is told as such', async () => {
  const lonely = await startPageServer({
    host: '127.0.0.1',
    port: 0,
    channels: [],
    dataPort: 8080,
    adminAddress: '127.0.0.1:1',
    origins: () => [],
  });
  const answer = await fetch(`http://127.0.0.1:${lonely.port}/api/snapshot`);
  assert.equal(answer.status, 502);
  assert.match(await answer.text(), /admin listener/);
  await lonely.close();
});
