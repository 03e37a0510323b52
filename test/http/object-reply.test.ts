// Objects for players while they still arrive: what can be answered from what is known waits for nothing else.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { suite, test } from 'node:test';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane } from '../support/data-plane.js';
import { startHttpOrigin } from '../support/origin-server.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();

const whole = 'abcdefghijklmnopqrstuvwxyz';
const headers = { 'content-type': 'video/mp2t', etag: '"1"' };

/** Answers every object with its header, the first byte of its body, and as much of the rest as the test says. */
class HeldOrigin {
  readonly held: ServerResponse[] = [];
  /** Answers that are over, or whose connection is. */
  closed = 0;
  requests: readonly IncomingMessage[] = [];

  async start(fields: Record<string, string | number> = { 'content-length': whole.length }): Promise<TestDataPlane> {
    const origin = await startHttpOrigin((_, response) => {
      response.writeHead(200, { ...headers, ...fields });
      response.write(whole.slice(0, 1));
      response.on('close', () => {
        this.closed += 1;
      });
      this.held.push(response);
    });
    this.requests = origin.requests;
    cleanups.push(() => origin.close());
    const weir = await startDataPlane({ hls: { maxObject: '1MiB' } });
    cleanups.push(() => weir.close());
    weir.register(endpoint('news', origin.address));
    return weir;
  }

  /** Bytes of the only answer, once it is asked for. */
  async give(text: string): Promise<void> {
    (await waitFor(() => this.held[0])).write(text);
  }

  async end(text: string): Promise<void> {
    (await waitFor(() => this.held[0])).end(text);
  }
}

interface Asked {
  readonly response: IncomingMessage;
  /** What has come so far. */
  readonly text: () => string;
  readonly ended: Promise<unknown>;
  readonly destroy: () => void;
}

/** Resolves with the header; the body comes after. */
async function ask(
  weir: TestDataPlane,
  fields: Record<string, string> = {},
  method = 'GET',
  path = '/live/news/1.ts',
): Promise<Asked> {
  const asked = request({ port: weir.port, path, method, headers: fields, agent: false });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  response.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  cleanups.push(() => asked.destroy());
  return { response, text: () => text, ended: once(response, 'end'), destroy: () => asked.destroy() };
}

suite('while an object still arrives', () => {
  test('HEAD is answered from its header as soon as a byte shows that the rest is to come', async () => {
    const origin = new HeldOrigin();
    const weir = await origin.start();
    const { response } = await ask(weir, {}, 'HEAD');
    assert.equal(response.statusCode, 200);
    assert.equal(response.headers['content-length'], '26');
    assert.equal(response.headers.etag, '"1"');
  });

  test('a copy that still holds is told so', async () => {
    const origin = new HeldOrigin();
    const weir = await origin.start();
    const { response } = await ask(weir, { 'if-none-match': '"1"' });
    assert.equal(response.statusCode, 304);
  });

  test('a copy that does not hold is followed by the bytes as they come', async () => {
    const origin = new HeldOrigin();
    const weir = await origin.start();
    const { response, text, ended } = await ask(weir, { 'if-none-match': '"0"' });
    assert.equal(response.statusCode, 200);
    await origin.give('bc');
    await waitFor(() => text() === 'abc');
    await origin.end(whole.slice(3));
    await ended;
    assert.equal(text(), whole);
  });

  test('a range that is here is answered, and the rest is fetched to its end for the next ones', async () => {
    const origin = new HeldOrigin();
    const weir = await origin.start();
    const first = ask(weir, { range: 'bytes=2-4' });
    await origin.give('bcdefg');
    const { response, text, ended } = await first;
    await ended;
    assert.deepEqual([response.statusCode, response.headers['content-range'], text()], [206, 'bytes 2-4/26', 'cde']);
    await origin.end(whole.slice(7));
    const all = await ask(weir);
    await all.ended;
    assert.equal(all.text(), whole);
    assert.equal(origin.requests.length, 1);
  });

  test('a range that is to come is sent as it comes, cut to what was asked for', async () => {
    const origin = new HeldOrigin();
    const weir = await origin.start();
    const { response, text, ended } = await ask(weir, { range: 'bytes=5-20' });
    assert.equal(response.headers['content-length'], '16');
    await origin.give('bc');
    await origin.give('defgh');
    await waitFor(() => text() === 'fgh');
    await origin.give('ijklmnopqrstuvwx');
    await ended;
    assert.equal(text(), 'fghijklmnopqrstu');
  });

  for (const [range, expected] of [
    ['bytes=20-', 'uvwxyz'],
    ['bytes=-3', 'xyz'],
    ['bytes=0-0', 'a'],
    ['bytes=25-99', 'z'],
    ['bytes=0-25', whole],
  ] as const) {
    test(`${range} gets its bytes, whatever pieces they come in`, async () => {
      const origin = new HeldOrigin();
      const weir = await origin.start();
      const { response, text, ended } = await ask(weir, { range });
      assert.equal(response.statusCode, 206);
      for (const piece of whole.slice(1).match(/.{1,5}/g) ?? []) await origin.give(piece);
      await origin.end('');
      await ended;
      assert.equal(text(), expected);
    });
  }

  test('a range behind its end is refused by its header', async () => {
    const origin = new HeldOrigin();
    const weir = await origin.start();
    const { response } = await ask(weir, { range: 'bytes=26-' });
    assert.deepEqual([response.statusCode, response.headers['content-range']], [416, 'bytes */26']);
  });

  test('a range of what has not told its length waits for the end', async () => {
    const origin = new HeldOrigin();
    const weir = await origin.start({});
    const first = ask(weir, { range: 'bytes=-3' });
    await origin.end(whole.slice(1));
    const { response, text, ended } = await first;
    await ended;
    assert.deepEqual([response.headers['content-range'], text()], ['bytes 23-25/26', 'xyz']);
  });

  test('several players get their ranges out of one request', async () => {
    const origin = new HeldOrigin();
    const weir = await origin.start();
    const asked = await Promise.all(['bytes=0-1', 'bytes=10-12', 'bytes=-1'].map((range) => ask(weir, { range })));
    await origin.end(whole.slice(1));
    await Promise.all(asked.map(({ ended }) => ended));
    assert.deepEqual(
      asked.map(({ text }) => text()),
      ['ab', 'klm', 'z'],
    );
    assert.equal(origin.requests.length, 1);
  });
});

suite('an object that is too large to keep', () => {
  const size = 20 * 1024 * 1024;

  test('is not pulled for HEAD, and nothing of it is counted as sent', async () => {
    const origin = new HeldOrigin();
    const weir = await origin.start({ 'content-length': size });
    const { response, ended } = await ask(weir, {}, 'HEAD');
    await ended;
    assert.equal(response.headers['content-length'], String(size));
    await waitFor(() => origin.closed === 1);
    assert.equal(weir.metrics.traffic.sent.hls, 0);
    assert.equal(await metricValue(weir.metrics, 'weir_hls_saved_bytes_total'), 0);
  });

  test('is left by a player whose copy still holds', async () => {
    const origin = new HeldOrigin();
    const weir = await origin.start({ 'content-length': size });
    const { response } = await ask(weir, { 'if-none-match': '"1"' });
    assert.equal(response.statusCode, 304);
    await waitFor(() => origin.closed === 1);
  });
});

suite('the age of an object', () => {
  test('is told where it was used again, and what the origin told of it is added', async () => {
    const origin = await startHttpOrigin((asked, response) => {
      const more = asked.url?.includes('old') ? { age: '100' } : {};
      response.writeHead(200, { ...headers, ...more, 'cache-control': 'max-age=1000' }).end(whole);
    });
    cleanups.push(() => origin.close());
    const weir = await startDataPlane();
    cleanups.push(() => weir.close());
    weir.register(endpoint('news', origin.address));
    const age = async (path: string) => {
      const { response, ended } = await ask(weir, {}, 'GET', path);
      await ended;
      return response.headers.age;
    };
    assert.equal(await age('/live/news/1.ts'), undefined);
    assert.match((await age('/live/news/1.ts')) ?? '', /^\d$/);
    assert.equal(await age('/live/news/old.ts'), '100');
    assert.match((await age('/live/news/old.ts')) ?? '', /^10\d$/);
  });
});
