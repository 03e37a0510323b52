// The retry loop in front of places that answer as the test says.

import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { suite, test } from 'node:test';
import { type ErrorCode, WeirError } from '../../src/errors.js';
import type { ServerOrigin } from '../../src/model.js';
import { type AttemptOptions, type AttemptPlace, attempt } from '../../src/upstream/attempts.js';
import type { Exchange, UpstreamHandler } from '../../src/upstream/client.js';
import { waitFor } from '../support/wait.js';

/** A place that was asked. */
interface Asked {
  readonly server: string;
  readonly handler: UpstreamHandler;
  /** What its pick heard. */
  readonly heard: string[];
  aborted: boolean;
  resumed: number;
}

/** A request for as long as the test runs. */
class Request {
  readonly asked: Asked[] = [];
  readonly excluded: (readonly string[])[] = [];
  readonly retried: ErrorCode[] = [];
  /** What whoever asks hears. */
  readonly heard: string[] = [];
  paused = false;
  readonly exchange: Exchange;
  readonly #servers: (string | Error)[];

  /** @param servers those that are given, one after the other; an error is thrown */
  constructor(servers: readonly (string | Error)[], options: Partial<AttemptOptions> = {}) {
    this.#servers = [...servers];
    const next = (failed: readonly ServerOrigin[]) => {
      this.excluded.push([...failed]);
      const server = this.#servers.shift() ?? new WeirError('no_endpoint');
      if (typeof server !== 'string') throw server;
      return this.#place(server);
    };
    const onRetry = ({ code }: WeirError) => this.retried.push(code);
    this.exchange = attempt(
      { next, purpose: 'asked', retries: 2, onRetry, ...options },
      {
        onResponse: (status) => this.heard.push(String(status)),
        onData: (chunk) => {
          this.heard.push(chunk.toString());
          return !this.paused;
        },
        onEnd: () => this.heard.push('end'),
        onError: ({ code }) => this.heard.push(code),
      },
    );
  }

  /** The place that was asked last. */
  get last(): Asked {
    const asked = this.asked.at(-1);
    assert.ok(asked !== undefined);
    return asked;
  }

  answer(body: string, headers: IncomingHttpHeaders = {}, status = 200): void {
    const { handler } = this.last;
    handler.onResponse(status, headers);
    if (body !== '') handler.onData(Buffer.from(body));
    handler.onEnd();
  }

  fail(code: ErrorCode): void {
    this.last.handler.onError(new WeirError(code));
  }

  #place(server: string): AttemptPlace {
    const heard: string[] = [];
    return {
      server: server as ServerOrigin,
      pick: { firstByte: () => heard.push('first byte'), done: (outcome) => heard.push(outcome) },
      send: (handler) => {
        const asked: Asked = { server, handler, heard, aborted: false, resumed: 0 };
        this.asked.push(asked);
        return {
          resume: () => {
            asked.resumed += 1;
          },
          abort: () => {
            asked.aborted = true;
          },
        };
      },
    };
  }
}

suite('a request that goes well', () => {
  test('is handed on as it comes, and its pick hears of the first byte and the end', () => {
    const request = new Request(['a']);
    request.last.handler.onResponse(200, {});
    assert.deepEqual([request.heard, request.last.heard], [[], []]);
    request.last.handler.onData(Buffer.from('x'));
    assert.deepEqual([request.heard, request.last.heard], [['200', 'x'], ['first byte']]);
    request.last.handler.onData(Buffer.from('y'));
    request.last.handler.onEnd();
    assert.deepEqual(request.heard, ['200', 'x', 'y', 'end']);
    assert.deepEqual(request.last.heard, ['first byte', 'success']);
    assert.deepEqual(request.retried, []);
  });

  test('may have no body at all', () => {
    const request = new Request(['a']);
    request.answer('', {}, 204);
    assert.deepEqual(request.heard, ['204', 'end']);
    assert.deepEqual(request.last.heard, ['first byte', 'success']);
  });

  test('that changes the protocol waits for no byte', () => {
    const request = new Request(['a']);
    request.last.handler.onResponse(101, {});
    assert.deepEqual(request.heard, ['101']);
  });

  test('is paused and resumed by whoever asks', () => {
    const request = new Request(['a']);
    request.paused = true;
    request.last.handler.onResponse(200, {});
    assert.equal(request.last.handler.onData(Buffer.from('x')), false);
    request.exchange.resume();
    assert.equal(request.last.resumed, 1);
  });
});

suite('a request that fails', () => {
  test('goes to the next place, which is not one of those before, and is counted by what failed', () => {
    const request = new Request(['a', 'b', 'c']);
    request.fail('upstream_connect');
    request.last.handler.onResponse(503, {});
    assert.equal(request.asked[1]?.aborted, true);
    request.answer('good');
    assert.deepEqual(request.heard, ['200', 'good', 'end']);
    assert.deepEqual(request.excluded, [[], ['a'], ['a', 'b']]);
    assert.deepEqual(request.retried, ['upstream_connect', 'upstream_status']);
    assert.deepEqual(
      request.asked.map(({ heard }) => heard),
      [['connect_error'], ['bad_status'], ['first byte', 'success']],
    );
  });

  test('between its header and its first byte goes to the next place, and nobody sees that header', () => {
    const request = new Request(['a', 'b']);
    request.last.handler.onResponse(200, { 'content-length': '3' });
    request.fail('upstream_cut');
    request.answer('good', {}, 206);
    assert.deepEqual(request.heard, ['206', 'good', 'end']);
  });

  test('after its first byte is over: it was interrupted, and that is no failure of a gateway', () => {
    const request = new Request(['a', 'b']);
    request.last.handler.onResponse(200, {});
    request.last.handler.onData(Buffer.from('x'));
    request.fail('upstream_cut');
    assert.deepEqual(request.heard, ['200', 'x', 'upstream_cut']);
    assert.deepEqual(request.last.heard, ['first byte', 'interrupted']);
    assert.equal(request.asked.length, 1);
  });

  test('for what no other place would do better is not tried again', () => {
    const request = new Request(['a', 'b']);
    request.fail('bad_request');
    assert.deepEqual(request.heard, ['bad_request']);
    assert.equal(request.asked.length, 1);
  });

  test('is tried on no more places than allowed', () => {
    const request = new Request(['a', 'b', 'c'], { retries: 1 });
    request.fail('upstream_connect');
    request.fail('upstream_cut');
    assert.deepEqual(request.heard, ['upstream_cut']);
    assert.deepEqual(request.retried, ['upstream_connect']);
  });

  test('with nobody left ends with what went wrong, and counts no retry', () => {
    const request = new Request(['a']);
    request.fail('upstream_connect');
    assert.deepEqual(request.heard, ['upstream_connect']);
    assert.deepEqual(request.retried, []);
  });

  test('with a mistake of ours at the next place ends with that', () => {
    const request = new Request(['a', new TypeError('a mistake')]);
    request.fail('upstream_connect');
    assert.deepEqual(request.heard, ['internal']);
  });

  test('by what a player chose to wait for blames nobody, and may do better elsewhere', () => {
    const request = new Request(['a', 'b'], { purpose: 'held' });
    request.fail('upstream_first_byte_timeout');
    assert.deepEqual(request.last.server, 'b');
    assert.deepEqual(request.asked[0]?.heard, ['abandoned']);
  });

  test('before anybody was asked fails a moment later, not while it is made', async () => {
    const request = new Request([new WeirError('unknown_channel')]);
    assert.deepEqual(request.heard, []);
    await waitFor(() => request.heard.length > 0, { what: 'the error' });
    assert.deepEqual(request.heard, ['unknown_channel']);
  });

  test('while it is sent lets go of its pick', async () => {
    const heard: string[] = [];
    const send = () => {
      throw new WeirError('bad_request');
    };
    const pick = { firstByte: () => undefined, done: (outcome: string) => heard.push(outcome) };
    const request = new Request([], { next: () => ({ server: 'a' as ServerOrigin, pick, send }) });
    await waitFor(() => request.heard.length > 0, { what: 'the error' });
    assert.deepEqual([request.heard, heard], [['bad_request'], ['abandoned']]);
  });
});

suite('a request that nobody wants any more', () => {
  test('ends at its place, is nobody’s failure, and says nothing more', () => {
    const request = new Request(['a', 'b']);
    request.exchange.abort();
    assert.equal(request.last.aborted, true);
    assert.equal(request.last.heard.at(0), 'abandoned');
    request.fail('upstream_cut');
    assert.deepEqual([request.heard, request.asked.length], [[], 1]);
  });

  test('says nothing either when nobody could be asked', async () => {
    const request = new Request([new WeirError('no_endpoint')]);
    request.exchange.abort();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(request.heard, []);
  });
});

suite('a request to whoever of many has it now', () => {
  const patience = { intervalMs: 1, limitMs: 60_000 };
  const peer = { purpose: 'peer', retries: patience } as const;

  test('is read on at the next one where it was cut', async () => {
    const request = new Request(['a', 'b'], peer);
    const { handler } = request.last;
    handler.onResponse(200, { 'content-length': '6' });
    handler.onData(Buffer.from('abc'));
    request.fail('upstream_cut');
    await waitFor(() => request.asked.length === 2, { what: 'the next one' });
    request.last.handler.onResponse(200, { 'content-length': '6' });
    request.last.handler.onData(Buffer.from('ab'));
    request.last.handler.onData(Buffer.from('cde'));
    request.last.handler.onData(Buffer.from('f'));
    request.last.handler.onEnd();
    assert.deepEqual(request.heard, ['200', 'abc', 'de', 'f', 'end']);
    assert.deepEqual(request.retried, ['upstream_cut']);
  });

  test('is cut when the next one has something else', async () => {
    for (const [status, headers] of [
      [200, { 'content-length': '7' }],
      [404, { 'content-length': '6' }],
      [200, {}],
    ] as const) {
      const request = new Request(['a', 'b'], peer);
      request.last.handler.onResponse(200, { 'content-length': '6' });
      request.last.handler.onData(Buffer.from('abc'));
      request.fail('upstream_cut');
      await waitFor(() => request.asked.length === 2, { what: 'the next one' });
      request.last.handler.onResponse(status, headers);
      assert.deepEqual(request.heard, ['200', 'abc', 'upstream_cut']);
      assert.equal(request.last.aborted, true);
      assert.deepEqual(request.last.heard, ['interrupted'], 'its pick is over');
    }
  });

  test('begins anew where only a header was there', async () => {
    const request = new Request(['a', 'b'], peer);
    request.last.handler.onResponse(200, { 'content-length': '6' });
    request.fail('upstream_cut');
    await waitFor(() => request.asked.length === 2, { what: 'the next one' });
    request.answer('other', {}, 200);
    assert.deepEqual(request.heard, ['200', 'other', 'end']);
  });

  test('waits until somebody has it; the same one again is no retry', async () => {
    const gone = new WeirError('worker_lost');
    const request = new Request([gone, gone, 'a', 'a', 'b'], peer);
    await waitFor(() => request.asked.length === 1, { what: 'the first one' });
    request.fail('upstream_connect');
    await waitFor(() => request.asked.length === 2, { what: 'the same one' });
    request.last.handler.onResponse(421, {});
    await waitFor(() => request.asked.length === 3, { what: 'the other one' });
    request.answer('good');
    assert.deepEqual(request.heard, ['200', 'good', 'end']);
    assert.deepEqual(request.retried, ['worker_lost']);
  });

  test('passes on what the one that has it answers, and its silence', () => {
    const error = new Request(['a', 'b'], peer);
    error.answer('sorry', {}, 502);
    assert.deepEqual(error.heard, ['502', 'sorry', 'end']);
    const silent = new Request(['a', 'b'], peer);
    silent.fail('upstream_first_byte_timeout');
    assert.deepEqual(silent.heard, ['upstream_first_byte_timeout']);
  });

  test('is given up when nobody has it in time', async () => {
    const gone = new WeirError('worker_lost');
    const request = new Request(Array(10_000).fill(gone), { ...peer, retries: { intervalMs: 1, limitMs: 20 } });
    await waitFor(() => request.heard.length > 0, { what: 'the error' });
    assert.deepEqual(request.heard, ['worker_lost']);
  });

  test('is not looked for any more once nobody wants it', async () => {
    const request = new Request(['a', 'b'], { ...peer, retries: { intervalMs: 0, limitMs: 60_000 } });
    request.fail('worker_lost');
    request.exchange.abort();
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(request.asked.length, 1);
  });
});
