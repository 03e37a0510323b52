// Players who wait for what is to come, and what the endpoint is asked for meanwhile.

import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';
import { WeirError } from '../../../src/errors.js';
import type { MediaWindow } from '../../../src/hls/presentation/live-window.js';
import { type Reach, reachOf } from '../../../src/hls/presentation/reach.js';
import { renderWindow } from '../../../src/hls/presentation/render-window.js';
import { type Rendered, render } from '../../../src/hls/presentation/rendered.js';
import { BlockingReloads, type Reloaded } from '../../../src/hls/session/blocking-reload.js';
import { Presented } from '../../../src/hls/session/presented.js';
import { Bench, list } from '../../support/bench.js';
import { presentedParts } from '../../support/hls-parts.js';

interface PlaylistOptions {
  readonly target?: string;
  readonly ended?: boolean;
  readonly control?: string;
}

/** Segments of 4 s up to `last`, and `parts` of the next one. */
function windowOf(last: number, parts: number, options: PlaylistOptions = {}): MediaWindow {
  const { target = '1', ended = false, control = 'CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24' } = options;
  const part = (sequence: number, index: number) => `#EXT-X-PART:DURATION=0.1,URI="${sequence}.${index}.m4s"\n`;
  const ofSegment = (sequence: number, count: number) =>
    Array.from({ length: count }, (_, index) => part(sequence, index)).join('');
  const extra = `#EXT-X-SERVER-CONTROL:${control}\n${target === '' ? '' : `#EXT-X-PART-INF:PART-TARGET=${target}\n`}`;
  const bench = new Bench('A');
  const segments = list(last - 9, 10, { target: 4, duration: 4, extra, before: (sequence) => ofSegment(sequence, 4) });
  bench.take(segments + ofSegment(last + 1, parts) + (ended ? '#EXT-X-ENDLIST\n' : ''));
  assert.ok(bench.window !== undefined);
  return bench.window;
}

suite('what a player asks for', () => {
  const cases: [name: string, window: MediaWindow, sequence: number, part: number | undefined, reach: Reach][] = [
    ['a segment that is listed', windowOf(20, 1), 20, undefined, 'there'],
    ['one that has left', windowOf(20, 1), 3, 7, 'there'],
    ['a part of a listed segment', windowOf(20, 1), 20, 3, 'there'],
    ['a part of the segment in the making', windowOf(20, 2), 21, 1, 'there'],
    ['the next part', windowOf(20, 2), 21, 2, 'coming'],
    ['the segment in the making', windowOf(20, 2), 21, undefined, 'coming'],
    ['the segment after it', windowOf(20, 2), 22, undefined, 'coming'],
    ['the one after that', windowOf(20, 2), 23, undefined, 'beyond'],
    ['a part behind the last one of its segment, when the next has begun', windowOf(20, 1), 20, 4, 'there'],
    ['a part behind the last one of its segment, when the next has not', windowOf(20, 0), 20, 4, 'coming'],
    ['three parts ahead', windowOf(20, 1), 21, 3, 'coming'],
    ['four parts ahead', windowOf(20, 1), 21, 4, 'beyond'],
    ['the first part of the segment after, when few are missing', windowOf(20, 3), 22, 0, 'coming'],
    ['the first part of the segment after, when many are missing', windowOf(20, 1), 22, 0, 'beyond'],
    ['short parts: as many as three seconds have', windowOf(20, 1, { target: '0.5' }), 21, 6, 'coming'],
    ['short parts: one more', windowOf(20, 1, { target: '0.5' }), 21, 7, 'beyond'],
    ['a part where there are none: the segment counts', windowOf(20, 0, { target: '' }), 21, 900, 'coming'],
    ['anything behind the end', windowOf(20, 0, { ended: true }), 900, 900, 'there'],
  ];
  for (const [name, window, sequence, part, reach] of cases) {
    test(`${name}: ${reach}`, () => assert.equal(reachOf(window, { sequence, part }), reach));
  }
});

/** All that follows at once has happened. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A playlist whose endpoint answers when the test says so. */
class Playlist implements Reloaded {
  window: MediaWindow | undefined = windowOf(20, 1);
  isFresh = true;
  isOwn = true;
  time = 0;
  rendered: Rendered | undefined = this.#rendered();
  /** Ordinary requests, and what they find. */
  ordinary = 0;
  next: MediaWindow | undefined;
  readonly held: { readonly query: string; readonly settle: (window: MediaWindow | undefined) => void }[] = [];
  readonly failures: unknown[] = [];
  readonly reloads = new BlockingReloads(this);
  readonly now = () => this.time;

  #rendered(): Rendered | undefined {
    return this.window === undefined ? undefined : render('media', renderWindow(this.window), this.time);
  }

  show(window: MediaWindow): void {
    this.window = window;
    this.rendered = this.#rendered();
    this.reloads.progressed();
  }

  async current(): Promise<Rendered> {
    this.ordinary += 1;
    if (this.next !== undefined) this.show(this.next);
    if (this.rendered === undefined) throw new WeirError('no_endpoint');
    return this.rendered;
  }

  distrust(): void {
    this.isFresh = false;
  }

  hold(query: string): Promise<boolean> {
    return new Promise((resolve) => {
      this.held.push({
        query,
        settle: (window) => {
          if (window !== undefined) this.show(window);
          resolve(window !== undefined);
        },
      });
    });
  }

  failed(error: unknown): void {
    this.failures.push(error);
  }

  ask(sequence: number, part?: number): Promise<Rendered> {
    return Promise.resolve(this.reloads.ask({ sequence, part }, ''));
  }

  /** Answers what is held, and lets what follows from it happen. */
  async answer(window: MediaWindow | undefined): Promise<void> {
    for (const { settle } of this.held.splice(0)) settle(window);
    await turn();
  }

  get queries(): string[] {
    return this.held.map(({ query }) => query);
  }
}

suite('players who wait', () => {
  let playlist: Playlist;
  beforeEach(() => {
    playlist = new Playlist();
  });

  test('for one thing are one request to the endpoint, and all are answered', async () => {
    const asked = Array.from({ length: 10 }, () => playlist.ask(21, 1));
    assert.deepEqual(playlist.queries, ['_HLS_msn=21&_HLS_part=1']);
    await playlist.answer(windowOf(20, 2));
    for (const rendered of await Promise.all(asked)) assert.equal(rendered, playlist.rendered);
    assert.deepEqual(playlist.queries, []);
  });

  test('for made-up parts take no place from those who wait for the next one', async () => {
    const strangers = [2, 3].flatMap((part) => Array.from({ length: 20 }, () => playlist.ask(21, part)));
    for (const position of [21, 22]) strangers.push(playlist.ask(position));
    const player = playlist.ask(21, 1);
    assert.deepEqual(playlist.queries, ['_HLS_msn=21&_HLS_part=1', '_HLS_msn=21']);
    playlist.held.shift()?.settle(windowOf(20, 2));
    assert.match((await player).text, /21\.1\.m4s/);
    assert.equal(playlist.ordinary, 0);
    await turn();
    // The strangers go on to wait, for the part that is next now.
    assert.deepEqual(playlist.queries, ['_HLS_msn=21', '_HLS_msn=21&_HLS_part=2']);
    await playlist.answer(windowOf(21, 0));
    await playlist.answer(windowOf(22, 0));
    await Promise.all(strangers);
  });

  test('for what is there by other means are answered then', async () => {
    const asked = playlist.ask(21, 1);
    playlist.show(windowOf(21, 0));
    assert.equal(await asked, playlist.rendered);
  });

  test('get the present list when the endpoint does not hold what it should, which is not asked again at once', async () => {
    const asked = playlist.ask(21, 2);
    await playlist.answer(playlist.window);
    assert.equal(await asked, playlist.rendered);
    assert.deepEqual([playlist.ordinary, playlist.queries], [1, []]);
  });

  test('get the present list when the endpoint fails', async () => {
    const asked = playlist.ask(21, 1);
    await playlist.answer(undefined);
    assert.equal(await asked, playlist.rendered);
    assert.equal(playlist.ordinary, 1);
  });

  test('do not wait longer than three target durations', async () => {
    const asked = playlist.ask(22);
    playlist.time = 12_001;
    await playlist.answer(windowOf(21, 0));
    assert.equal(await asked, playlist.rendered);
    assert.deepEqual(playlist.queries, []);
  });

  test('ask anew when the endpoint is another one', async () => {
    const asked = playlist.ask(21, 1);
    playlist.reloads.abandon();
    assert.equal(await asked, playlist.rendered);
    assert.equal(playlist.ordinary, 1);
  });

  test('are let go when something is wrong here, and it is said', async () => {
    const fault = new TypeError('a fault of this program');
    playlist.hold = () => Promise.reject(fault);
    assert.equal(await playlist.ask(21, 1), playlist.rendered);
    assert.deepEqual(playlist.failures, [fault]);
  });
});

test('what is there is answered at once, and the endpoint is not asked', () => {
  const playlist = new Playlist();
  playlist.isFresh = false;
  assert.equal(playlist.reloads.ask({ sequence: 21, part: 0 }, ''), playlist.rendered);
  assert.equal(playlist.reloads.ask({ sequence: 9, part: undefined }, ''), playlist.rendered);
  assert.deepEqual([playlist.ordinary, playlist.queries], [0, []]);
});

suite('a player who asks for more than is known', () => {
  test('is refused while the playlist is fresh, at once', () => {
    const playlist = new Playlist();
    assert.throws(
      () => playlist.reloads.ask({ sequence: 23, part: undefined }, ''),
      (error) => error instanceof WeirError && error.code === 'bad_request',
    );
    assert.deepEqual([playlist.ordinary, playlist.queries], [0, []]);
  });

  for (const [name, isFresh, isOwn] of [
    ['old', false, true],
    ["another process's", true, false],
  ] as const) {
    test(`is judged by what the endpoint says now, where the playlist is ${name}`, async () => {
      const playlist = new Playlist();
      const forget = (next: MediaWindow) => {
        playlist.isFresh = isFresh;
        playlist.isOwn = isOwn;
        playlist.next = next;
      };
      forget(windowOf(26, 1));
      assert.match((await playlist.ask(26, 3)).text, /s26\.ts/);
      const waiting = playlist.ask(27, 1);
      assert.deepEqual(playlist.queries, ['_HLS_msn=27&_HLS_part=1']);
      await playlist.answer(windowOf(26, 2));
      await waiting;
      forget(windowOf(26, 3));
      await assert.rejects(playlist.ask(40), { code: 'bad_request' });
    });
  }

  test('gets what stands in while no endpoint answers', async () => {
    const playlist = new Playlist();
    playlist.isOwn = false;
    assert.equal(await playlist.ask(40), playlist.rendered);
  });

  test('waits here for the first playlist, and then for what it asked for', async () => {
    const playlist = new Playlist();
    playlist.window = undefined;
    playlist.rendered = undefined;
    playlist.next = windowOf(20, 1);
    const asked = playlist.ask(21, 1);
    await turn();
    assert.deepEqual(playlist.queries, ['_HLS_msn=21&_HLS_part=1']);
    await playlist.answer(windowOf(20, 2));
    assert.match((await asked).text, /21\.1\.m4s/);
  });

  test('gets what is there from the endpoint where nobody has asked for it lately', async () => {
    const playlist = new Playlist();
    playlist.next = windowOf(30, 0);
    playlist.time = 4_000;
    assert.match((await playlist.ask(20)).text, /s30\.ts/);
  });
});

test('a delta update is made once for all who ask for it', () => {
  const presented = new Presented(presentedParts(), '.m3u8');
  presented.restore(windowOf(20, 1));
  const { rendered } = presented;
  assert.ok(rendered !== undefined);
  const delta = presented.skipping(rendered);
  assert.match(delta.text, /EXT-X-SKIP:SKIPPED-SEGMENTS=4\n/);
  assert.equal(presented.skipping(rendered), delta);
  assert.notEqual(delta.etag, rendered.etag);
  const later = { ...rendered, at: 7 };
  assert.equal(presented.skipping(later).body, delta.body);
  assert.equal(presented.skipping(later).at, 7);
});

test('a playlist that has ended is sent whole', () => {
  const presented = new Presented(presentedParts(), '.m3u8');
  presented.restore(windowOf(20, 1, { ended: true }));
  assert.ok(presented.rendered !== undefined);
  assert.equal(presented.skipping(presented.rendered), presented.rendered);
});
