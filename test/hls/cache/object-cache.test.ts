import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { beforeEach, suite, test } from 'node:test';
import { WeirError } from '../../../src/errors.js';
import type { Follower } from '../../../src/hls/cache/arriving-body.js';
import type { CachedObject } from '../../../src/hls/cache/cached-object.js';
import type { Load } from '../../../src/hls/cache/load.js';
import { ObjectCache } from '../../../src/hls/cache/object-cache.js';
import type { UpstreamHandler } from '../../../src/upstream/client.js';
import { heldBytes, isGone } from '../../support/garbage.js';

/** An endpoint that answers when the test says so. */
class Upstream {
  readonly requests: { conditions: Record<string, string>; handler: UpstreamHandler; aborted: boolean }[] = [];
  resumed = 0;
  readonly load: Load = (conditions, handler) => {
    const request = { conditions, handler, aborted: false };
    this.requests.push(request);
    return {
      resume: () => {
        this.resumed += 1;
      },
      abort: () => {
        request.aborted = true;
      },
    };
  };

  get last(): UpstreamHandler {
    const request = this.requests.at(-1);
    assert.ok(request !== undefined);
    return request.handler;
  }

  answer(body: string, headers: IncomingHttpHeaders = {}, status = 200): void {
    this.last.onResponse(status, headers);
    this.last.onData(Buffer.from(body));
    this.last.onEnd();
  }
}

class Reader implements Follower {
  taken = 0;
  text = '';
  dropped = false;
  readonly #object: CachedObject;
  constructor(object: CachedObject, pace: 'fast' | 'slow' = 'fast') {
    this.#object = object;
    object.follow(this);
    if (pace === 'fast') this.progress();
    else this.progress = () => undefined;
  }
  progress(): void {
    this.read();
  }
  drop(): void {
    this.dropped = true;
  }
  read(): void {
    while (this.taken < this.#object.arrived) {
      this.text += this.#object.chunk(this.taken)?.toString() ?? '(gone)';
      this.taken += 1;
      this.#object.took();
    }
  }
}

let now: number;
let received: number;
let upstream: Upstream;
function cacheOf(settings: { maxBytes?: number; maxObjectBytes?: number } = {}): ObjectCache {
  const { maxBytes = 100_000, maxObjectBytes = 10_000 } = settings;
  return new ObjectCache(
    { maxBytes, maxObjectBytes, staleIfErrorMs: 5000, errorLifetimeMs: 1000 },
    {
      now: () => now,
      clock: () => now,
      receive: (bytes) => {
        received += bytes;
      },
    },
  );
}
beforeEach(() => {
  now = 0;
  received = 0;
  upstream = new Upstream();
});

suite('fetching once', () => {
  test('an answer that asks to be checked each time is used again within the least age, an error is not', () => {
    const cache = cacheOf();
    const terms = { room: 'asked', minFreshMs: 100, maxFreshMs: Number.POSITIVE_INFINITY } as const;
    const open = () => cache.open('a', upstream.load, { terms });
    open();
    upstream.last.onResponse(200, { 'content-length': '1', 'cache-control': 'no-cache' });
    upstream.last.onData(Buffer.from('x'));
    upstream.last.onEnd();
    now = 99;
    assert.equal(open().lookup, 'hit');
    now = 100;
    assert.equal(open().lookup, 'miss');
    upstream.last.onResponse(404, { 'content-length': '0', 'cache-control': 'no-cache' });
    upstream.last.onEnd();
    assert.equal(open().lookup, 'miss');
  });

  test('those who ask while it arrives share the request: what is there, then what follows', () => {
    const cache = cacheOf();
    const { object, lookup } = cache.open('a', upstream.load);
    assert.equal(lookup, 'miss');
    const first = new Reader(object);
    upstream.last.onResponse(200, { 'content-length': '6' });
    upstream.last.onData(Buffer.from('abc'));
    const joined = cache.open('a', upstream.load);
    assert.equal(joined.lookup, 'joined');
    const late = new Reader(joined.object);
    assert.equal(late.text, 'abc');
    upstream.last.onData(Buffer.from('def'));
    upstream.last.onEnd();
    assert.deepEqual([first.text, late.text], ['abcdef', 'abcdef']);
    const hit = cache.open('a', upstream.load);
    assert.equal(hit.lookup, 'hit');
    assert.equal(hit.object.body?.toString(), 'abcdef');
    assert.equal(upstream.requests.length, 1);
    assert.equal(received, 6);
  });

  test('the request goes on while one is left, and ends with the last one', () => {
    const cache = cacheOf();
    const { object } = cache.open('a', upstream.load);
    const [one, other] = [new Reader(object), new Reader(object)];
    object.leave(one);
    assert.equal(upstream.requests[0]?.aborted, false);
    object.leave(other);
    assert.equal(upstream.requests[0]?.aborted, true);
    assert.equal(cache.open('a', upstream.load).lookup, 'miss', 'and says nothing about the object');
  });

  test('a body shorter than its length is an error for all, and not kept', () => {
    const cache = cacheOf();
    const { object } = cache.open('a', upstream.load);
    new Reader(object);
    upstream.answer('abc', { 'content-length': '6' });
    assert.equal(object.error?.code, 'upstream_cut');
    assert.equal(cache.stored('a'), undefined);
  });
});

suite('what is kept', () => {
  test('the least recently used leave, by bytes', () => {
    const cache = cacheOf({ maxBytes: 8000 });
    for (const key of ['a', 'b', 'c']) {
      cache.open(key, upstream.load);
      upstream.answer('x'.repeat(500));
      cache.stored('a');
    }
    assert.ok(cache.stored('a') !== undefined);
    cache.open('d', upstream.load);
    upstream.answer('x'.repeat(500));
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((key) => cache.stored(key) !== undefined),
      [true, false, true, true],
    );
    assert.ok(cache.bytes <= 8000);
  });

  test('a complete object is held once: the pieces it came in go with the last player who reads them', () => {
    const cache = cacheOf();
    const { object } = cache.open('a', upstream.load);
    const fast = new Reader(object);
    const slow = new Reader(object, 'slow');
    upstream.last.onResponse(200, { 'content-length': '6' });
    upstream.last.onData(Buffer.from('abc'));
    upstream.last.onData(Buffer.from('def'));
    upstream.last.onEnd();
    object.leave(fast);
    slow.read();
    assert.equal(slow.text, 'abcdef');
    object.leave(slow);
    assert.equal(object.chunk(0), undefined);
    assert.equal(object.body?.toString(), 'abcdef');
    cache.open('b', upstream.load);
    upstream.answer('ghi');
    assert.equal(cache.stored('b')?.chunk(0), undefined, 'nobody waited for it');
  });

  test('it does not keep alive who asked for it, nor how it came', async () => {
    const cache = cacheOf();
    const ends = ['stored', 'confirmed', 'stood in for', 'failed'];
    const asked = ends.map((key) => {
      const receive = () => undefined;
      const exchange = { resume: () => undefined, abort: () => undefined };
      const load: Load = (conditions, handler) => {
        upstream.load(conditions, handler);
        return exchange;
      };
      if (key === 'confirmed' || key === 'stood in for') {
        cache.open(key, upstream.load);
        upstream.answer('abc', { etag: '"1"', 'cache-control': 'max-age=0, stale-if-error=60' });
      }
      const before = cache.stored(key);
      const { object } = cache.open(key, load, { receive });
      if (key === 'stored') upstream.answer('abc');
      else if (key === 'confirmed') upstream.answer('', {}, 304);
      else upstream.last.onError(new WeirError('upstream_connect'));
      assert.equal(object.pending, false);
      upstream.requests.length = 0;
      return [receive, exchange, ...(before === undefined ? [] : [before])].map((one) => new WeakRef<object>(one));
    });
    assert.equal(cache.objects, ends.length);
    for (const [index, end] of ends.entries()) {
      for (const one of asked[index] ?? []) assert.ok(await isGone(one), end);
    }
  });

  test('it is counted with what it holds, however small it is', () => {
    const cache = cacheOf({ maxBytes: 1e9 });
    // What an ordinary server says of everything.
    const headerNames = [
      'date',
      'server',
      'content-type',
      'content-length',
      'last-modified',
      'etag',
      'cache-control',
      'x-id',
    ];
    const many = (name: string, count: number) => {
      for (let number = 0; number < count; number += 1) {
        cache.open(`~ ${name} /live/news.m3u8?u=${number}`, upstream.load);
        const headers = Object.fromEntries(
          headerNames.map((name) => [name, `a ${name} that is a string of its own: ${number}`]),
        );
        if (number % 10 === 0) upstream.last.onError(new WeirError('upstream_connect'));
        // A part of what was read from a socket.
        else {
          upstream.last.onResponse(200, headers);
          upstream.last.onData(Buffer.alloc(400).subarray(150, 350));
          upstream.last.onEnd();
        }
        upstream.requests.length = 0;
      }
    };
    many('first', 500);
    const [heldBefore, countedBefore] = [heldBytes(), cache.bytes];
    many('second', 5000);
    const [held, counted] = [heldBytes() - heldBefore, cache.bytes - countedBefore];
    assert.ok(held <= counted, `${held} bytes are held, ${counted} counted`);
  });

  test('its bytes are counted to the end', () => {
    const cache = cacheOf({ maxBytes: 0 });
    for (let count = 0; count < 50; count++) {
      cache.open(`k${count}`, upstream.load);
      if (count % 3 === 0) upstream.answer('x'.repeat(100));
      else if (count % 3 === 1) upstream.answer('x'.repeat(100), { 'cache-control': 'no-store' });
      else upstream.last.onError(new WeirError('upstream_cut'));
    }
    assert.ok(cache.objects <= 1);
    assert.ok(cache.bytes <= 2 * 1024 + 100, String(cache.bytes));
  });

  const unkept: [name: string, headers: IncomingHttpHeaders][] = [
    ['what may not be stored', { 'cache-control': 'no-store' }],
    ['what is private', { 'cache-control': 'private' }],
    ['what says it is too large', { 'content-length': '20000' }],
  ];
  for (const [name, headers] of unkept) {
    test(`${name} passes through, to nobody else`, () => {
      const cache = cacheOf();
      const { object } = cache.open('a', upstream.load);
      const reader = new Reader(object);
      upstream.last.onResponse(200, headers);
      assert.equal(cache.open('a', upstream.load).lookup, 'miss');
      const first = upstream.requests[0]?.handler;
      first?.onData(Buffer.from('abc'));
      assert.equal(reader.text, 'abc');
      assert.equal(object.sizeBytes, 0, 'nothing is held');
    });
  }

  test('what is too large goes at the pace of whoever takes it alone', () => {
    const cache = cacheOf({ maxObjectBytes: 1000 });
    const { object } = cache.open('a', upstream.load);
    const reader = new Reader(object, 'slow');
    upstream.last.onResponse(200, {});
    assert.equal(upstream.last.onData(Buffer.alloc(900, 'a')), true);
    assert.equal(upstream.last.onData(Buffer.alloc(900, 'b')), false, 'paused');
    reader.read();
    assert.equal(reader.text.length, 1800);
    assert.equal(upstream.resumed, 1);
    assert.equal(object.sizeBytes, 0);
    assert.equal(reader.dropped, false);
  });

  test('who lags behind in what is too large is dropped, and stops nobody', () => {
    const cache = cacheOf({ maxObjectBytes: 1000 });
    const { object } = cache.open('a', upstream.load);
    const fast = new Reader(object);
    const stuck = new Reader(object, 'slow');
    upstream.last.onResponse(200, {});
    for (let count = 0; count < 10; count += 1) upstream.last.onData(Buffer.alloc(400, 'a'));
    assert.equal(fast.text.length, 4000);
    assert.deepEqual([fast.dropped, stuck.dropped], [false, true]);
    assert.equal(object.sizeBytes, 0);
    object.leave(fast);
    assert.equal(upstream.requests[0]?.aborted, true, 'nobody is left');
  });

  test('who is somewhat behind goes on, as long as nobody waits', () => {
    const cache = cacheOf({ maxObjectBytes: 1000 });
    const { object } = cache.open('a', upstream.load);
    const [one, other] = [new Reader(object, 'slow'), new Reader(object, 'slow')];
    upstream.last.onResponse(200, {});
    upstream.last.onData(Buffer.alloc(600, 'a'));
    one.read();
    assert.equal(upstream.last.onData(Buffer.alloc(600, 'b')), false, 'paused');
    assert.equal(other.dropped, false);
    other.read();
    one.read();
    assert.deepEqual([one.dropped, other.dropped, one.text], [false, false, other.text]);
    assert.equal(upstream.resumed, 1);
  });

  suite('of what only players named', () => {
    const listed = { room: 'listed', minFreshMs: 0, maxFreshMs: Number.POSITIVE_INFINITY } as const;

    test('never pushes out what playlists list', () => {
      const cache = cacheOf({ maxBytes: 20_000 });
      for (const key of ['a', 'b', 'c']) {
        cache.open(key, upstream.load, { terms: listed });
        upstream.answer('x'.repeat(3000));
      }
      for (let count = 0; count < 100; count += 1) {
        cache.open(`stranger ${count}`, upstream.load);
        upstream.answer('x'.repeat(1000));
      }
      for (const key of ['a', 'b', 'c']) assert.ok(cache.stored(key) !== undefined, key);
      assert.ok(cache.bytes <= 20_000, String(cache.bytes));
    });

    test('keeps a part of the room, and all of it while there is nothing else', () => {
      const cache = cacheOf({ maxBytes: 20_000 });
      const ask = (key: string, options = {}) => {
        cache.open(key, upstream.load, options);
        upstream.answer('x'.repeat(1000));
      };
      for (let count = 0; count < 20; count += 1) ask(`a${count}`);
      assert.equal(cache.objects, 6);
      for (let count = 0; count < 20; count += 1) ask(`l${count}`, { terms: listed });
      assert.ok(cache.stored('a19') !== undefined);
    });

    test('is passed through when too much of it arrives at once', () => {
      const cache = cacheOf({ maxBytes: 20_000 });
      const objects = Array.from({ length: 10 }, (_, count) => {
        const { object } = cache.open(`stranger ${count}`, upstream.load);
        new Reader(object);
        upstream.last.onResponse(200, {});
        upstream.last.onData(Buffer.alloc(2000));
        return object;
      });
      assert.deepEqual(
        objects.map(({ keeps }) => keeps),
        [true, true, ...Array(8).fill(false)],
      );
      assert.ok(cache.bytes <= 5000 + 2000, String(cache.bytes));
    });

    test('counts with its key and its header', () => {
      const cache = cacheOf({ maxBytes: 100_000 });
      for (let count = 0; count < 100; count += 1) {
        cache.open(`${count} ${'k'.repeat(4000)}`, upstream.load);
        upstream.answer('x', { 'content-type': 'y'.repeat(4000) });
      }
      assert.ok(cache.objects <= 11, String(cache.objects));
    });
  });

  test('it is known how long what is listed stays', () => {
    const cache = cacheOf({ maxBytes: 5000 });
    const list = (key: string) => {
      cache.open(key, upstream.load, {
        terms: { room: 'listed', minFreshMs: 0, maxFreshMs: Number.POSITIVE_INFINITY },
      });
      upstream.answer('x'.repeat(1000));
    };
    assert.equal(cache.lasts(10_000), true, 'nothing had to leave yet');
    for (const key of ['a', 'b', 'c', 'd']) {
      now += 1000;
      list(key);
    }
    assert.equal(cache.lasts(10_000), false, 'something left that was used a moment ago');
    now += 20_000;
    list('e');
    assert.equal(cache.lasts(10_000), true, 'what left now had not been used for long');
    list('f');
    list('g');
    assert.equal(cache.lasts(10_000), false);
    now += 30_000;
    assert.equal(cache.lasts(10_000), true, 'nothing had to leave for a while');
  });

  test('a copy that arrived since is used whatever its header says, and none from before', () => {
    const cache = cacheOf();
    cache.open('a', upstream.load);
    now = 100;
    upstream.answer('abc', { 'cache-control': 'no-cache', etag: '"1"' });
    now = 90_000;
    const open = (since: number) => cache.open('a', upstream.load, { since }).lookup;
    assert.equal(open(100), 'hit');
    assert.equal(open(101), 'miss');
    assert.deepEqual(upstream.requests.at(-1)?.conditions, { 'if-none-match': '"1"' });
    upstream.last.onResponse(304, {});
    assert.equal(open(101), 'hit', 'it was confirmed since');
  });
});

suite('freshness', () => {
  test('an object that is no longer fresh is asked about, and kept when it still holds', () => {
    const cache = cacheOf();
    cache.open('a', upstream.load);
    upstream.answer('abc', { etag: '"1"', 'cache-control': 'max-age=1' });
    now = 1500;
    assert.equal(cache.open('a', upstream.load).lookup, 'miss');
    assert.deepEqual(upstream.requests[1]?.conditions, { 'if-none-match': '"1"' });
    upstream.last.onResponse(304, { 'cache-control': 'max-age=9' });
    upstream.last.onEnd();
    now = 5000;
    assert.equal(cache.open('a', upstream.load).object.body?.toString(), 'abc');
    assert.equal(upstream.requests.length, 2);
  });

  for (const [name, fail] of [
    ['an error', () => upstream.last.onError(new WeirError('upstream_connect'))],
    ['a 500', () => upstream.last.onResponse(500, {})],
  ] as const) {
    test(`it stands in for an endpoint that fails with ${name}, for a bounded time`, () => {
      const cache = cacheOf();
      cache.open('a', upstream.load);
      upstream.answer('abc', { 'cache-control': 'max-age=1' });
      now = 3000;
      const { object } = cache.open('a', upstream.load);
      fail();
      assert.equal(object.body?.toString(), 'abc');
      now = 20_000;
      const late = cache.open('a', upstream.load).object;
      fail();
      assert.equal(late.body, undefined);
    });
  }

  test('an error is answered again for a second, then asked again', () => {
    const cache = cacheOf();
    cache.open('a', upstream.load);
    upstream.last.onError(new WeirError('upstream_connect'));
    now = 900;
    assert.equal(cache.open('a', upstream.load).object.error?.code, 'upstream_connect');
    now = 1100;
    assert.equal(cache.open('a', upstream.load).lookup, 'miss');
    upstream.answer('no', { 'cache-control': 'max-age=60' }, 404);
    now = 2000;
    assert.equal(cache.open('a', upstream.load).lookup, 'hit');
    now = 2200;
    assert.equal(cache.open('a', upstream.load).lookup, 'miss');
  });
});
