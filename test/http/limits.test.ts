// What a listener bears of those who are slow, silent or talk too much: players and other workers alike.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { Access } from '../../src/access/access.js';
import { WeirError } from '../../src/errors.js';
import { answerError, type EdgeContext } from '../../src/http/exchange.js';
import { DataServer } from '../../src/http/server.js';
import { silentLogger } from '../../src/log.js';
import { createMetrics } from '../../src/metrics.js';
import { SnapshotStore } from '../../src/snapshot/store.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, testConfig } from '../support/data-plane.js';

const cleanups = cleanupsAfterEach();

/** A listener that answers 404 to everything. Resolves with the way to connect. */
async function listener(
  audience: EdgeContext['audience'],
  http: Parameters<typeof testConfig>[0] = {},
): Promise<NetConnectOpts> {
  const edge: EdgeContext = {
    settings: testConfig({ http: { headersTimeout: '300ms', maxHeaderSize: '4KiB' }, ...http }).http,
    log: { requests: false },
    logger: silentLogger,
    metrics: createMetrics({ process: false }),
    access: new Access(testConfig().access, Date.now),
    via: '1.1 weir-test',
    audience,
    draining: () => false,
  };
  const store = new SnapshotStore();
  store.accept({ kind: 'full', revision: 1, state: 'live', endpoints: [endpoint('news', '10.0.0.1:80')] });
  const server = new DataServer(edge, store, {
    handle: (exchange, _route, response) => answerError(exchange, response, new WeirError('not_found')),
    upgrade: (_exchange, _route, socket) => socket.destroy(),
    holds: () => false,
  });
  cleanups.push(() => server.close());
  if (audience === 'players') return { port: (await server.listen('127.0.0.1:0')).port, host: '127.0.0.1' };
  const folder = mkdtempSync(join(tmpdir(), 'weir-limits-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  await server.listenOnPath(join(folder, 'peer.sock'));
  return { path: join(folder, 'peer.sock') };
}

/** What came back until the connection was over; `more` is sent again and again. */
function talk(to: NetConnectOpts, first: string, more?: string): Promise<string> {
  const socket = connect(to);
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  socket.on('error', () => undefined);
  socket.write(first);
  const timer = setInterval(() => more !== undefined && socket.writable && socket.write(more), 20);
  return new Promise((resolve) =>
    socket.once('close', () => {
      clearInterval(timer);
      resolve(answer);
    }),
  );
}

for (const audience of ['players', 'peers'] as const) {
  suite(`the listener of ${audience}`, () => {
    test('waits for no header longer than the setting says: none, half of one, or one that never ends', async () => {
      const to = await listener(audience);
      const head = 'GET /live/news.flv HTTP/1.1\r\nHost: edge\r\n';
      const answers = await Promise.all([talk(to, ''), talk(to, head), talk(to, head, 'a: b\r\n')]);
      for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 408 /);
    });

    test('waits for no body longer than that', async () => {
      const to = await listener(audience);
      const answer = await talk(to, 'GET /live/news.flv HTTP/1.1\r\nHost: edge\r\nContent-Length: 1000\r\n\r\n', 'x');
      assert.match(answer, /^HTTP\/1\.1 404 /);
    });

    test('reads no more of a header than its size', async () => {
      const to = await listener(audience);
      const answer = await talk(
        to,
        `GET /live/news.flv HTTP/1.1\r\nHost: edge\r\n${`a: ${'b'.repeat(100)}\r\n`.repeat(100)}`,
      );
      assert.match(answer, /^HTTP\/1\.1 431 /);
    });
  });
}
