// Relays between scripted endpoints and viewers, on a clock that the test turns.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WeirError } from '../../src/errors.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint } from '../support/data-plane.js';
import { flvTag } from '../support/flv-bytes.js';
import { file, inter, key, opening, picture, sound } from '../support/flv-frames.js';
import { ScriptedRelays } from '../support/scripted-relay.js';

const cleanups = cleanupsAfterEach();

function relays(settings: ConstructorParameters<typeof ScriptedRelays>[0] = {}): ScriptedRelays {
  const made = new ScriptedRelays(settings);
  cleanups.push(() => made.close());
  made.registerNews();
  return made;
}

/** Sends sound and, unless told otherwise, pictures, a keyframe each second, while so much time passes. */
function live(made: ScriptedRelays, ms: number, { pictures = true, sounds = true } = {}): void {
  made.pass(ms, () => {
    if (pictures) made.pull.send(made.now % 1_000 === 0 ? key(made.now) : inter(made.now));
    if (sounds) made.pull.send(sound(made.now));
  });
}
const kinds = (tags: readonly { type: number; body: Buffer }[]) =>
  tags.map(
    ({ type, body }) =>
      `${type === 8 ? 'audio' : type === 9 ? 'video' : 'script'} ${body[1] === 0 ? 'header' : body[0] === 0x17 ? 'key' : 'frame'}`,
  );

describe('a camera that is switched off', () => {
  test('costs who joins nothing: the sound of now comes at once, and the pictures when they are back', () => {
    const made = relays();
    const early = made.watch();
    made.pull.send(...opening());
    live(made, 2_000);
    live(made, 300_000, { pictures: false });
    const late = made.watch();
    live(made, 1_000, { pictures: false });
    assert.deepEqual(kinds(late.tags.slice(0, 2)), ['audio header', 'audio frame']);
    assert.ok(
      late.tags.every(({ timestamp }) => timestamp >= 301_000),
      'nothing old',
    );
    live(made, 3_000);
    const pictures = late.tags.filter(({ type }) => type === 9);
    assert.equal(kinds(pictures)[0], 'video header');
    assert.ok(kinds(pictures).includes('video key'));
    assert.ok(early.tags.length > late.tags.length);
    assert.equal(made.pulls.length, 1, 'and no endpoint is left for it');
  });

  test('before the first viewer came: the header alone does not keep anybody waiting, and nobody is blamed', () => {
    const made = relays();
    const viewer = made.watch();
    made.pull.send(...opening());
    live(made, 4_000, { pictures: false });
    assert.ok(viewer.tags.length > 0);
    live(made, 60_000, { pictures: false });
    viewer.subscription?.cancel();
    made.close();
    assert.deepEqual([made.pulls.length, made.outcomes.map(({ outcome }) => outcome)], [1, ['success']]);
  });

  test('lets a viewer who skipped go on with the sound', () => {
    const made = relays({ maxViewerBytes: 400, maxViewerMediaMs: 5_000, maxHeldBytes: 1 << 20 });
    const viewer = made.watch();
    made.pull.send(...opening());
    live(made, 1_000);
    viewer.socket.reads = false;
    live(made, 3_000);
    live(made, 5_000, { pictures: false });
    Object.assign(viewer.socket, { reads: true, writableLength: 0 });
    const before = viewer.socket.chunks.length;
    live(made, 1_000, { pictures: false });
    assert.ok(viewer.socket.chunks.length > before + 5);
  });
});

describe('who joins just after a keyframe', () => {
  /** A keyframe is given out alone; the sound that belongs to it has come since, and waits. */
  function between(): ScriptedRelays {
    const made = relays();
    made.watch();
    made.pull.send(...opening());
    live(made, 2_000);
    made.pass(200);
    made.pull.send(key(2_000));
    made.pass(40);
    made.pull.send(sound(2_000), sound(2_020), sound(2_040));
    return made;
  }

  test('is given the headers at times that what follows does not step back from', () => {
    const made = between();
    const late = made.watch();
    made.pass(200);
    for (const type of [8, 9]) {
      const times = late.tags.filter((tag) => tag.type === type).map(({ timestamp }) => timestamp);
      assert.ok(times.length > 1);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
        kinds(late.tags).join(),
      );
    }
  });
});

describe('nobody waits for ever', () => {
  test('a viewer of a group that is too large to keep is let in without a keyframe', () => {
    const made = relays({ maxGroupBytes: 50_000 });
    made.watch();
    made.pull.send(...opening(), key(0));
    made.pass(1_000, () => made.pull.send(inter(made.now)));
    made.pull.send(...Array.from({ length: 100 }, () => flvTag(9, made.now, Buffer.alloc(1_000, 0x27))));
    made.pass(200, () => made.pull.send(inter(made.now)));
    const late = made.watch();
    made.pass(4_000, () => made.pull.send(inter(made.now)));
    assert.deepEqual([late.started, late.tags.length], [true, 0]);
    made.pass(2_000, () => made.pull.send(inter(made.now)));
    assert.deepEqual(kinds(late.tags.slice(0, 3)), ['video header', 'audio header', 'video frame']);
  });

  test('an endpoint of whose tags viewers get none is left, though it sends', () => {
    const made = relays();
    made.registerNews(2);
    made.watch();
    made.pull.send(...opening());
    live(made, 2_000);
    // A clock that goes back and back: nothing fits, and no keyframe ends it.
    const [first] = made.pulls;
    let at = made.now + 1_000_000_000;
    made.pass(15_000, () => {
      at -= 1_000;
      if (first?.aborted === false) first.send(inter(at >>> 0));
    });
    assert.equal(first?.aborted, true);
  });
});

describe('an endpoint that replays what it has, and ends', () => {
  const replayed = Array.from({ length: 60 }, (_, index) => picture(index * 20, index === 0));

  for (const [what, burst] of [
    ['as fast as it can', 60],
    ['at its pace', 1],
  ] as const) {
    test(`${what} holds viewers for the grace and no longer, and is asked ever more rarely`, () => {
      const made = relays({ graceMs: 5_000 });
      const viewer = made.watch();
      const sent = new Map<unknown, number>();
      made.pass(30_000, () => {
        const pull = made.pulls.at(-1);
        if (pull === undefined || pull.aborted) return;
        const at = sent.get(pull) ?? 0;
        if (at === 0) pull.send(...opening());
        sent.set(pull, at + burst);
        pull.send(...replayed.slice(at, at + burst));
        if (at >= 60) pull.handler.onEnd();
      });
      assert.equal(viewer.ended, true);
      assert.ok(made.pulls.length <= 9, `${made.pulls.length} pulls`);
    });
  }

  test('is not what endpoints do that fail one after the other and deliver in between', () => {
    const made = relays({ graceMs: 5_000 });
    const viewer = made.watch();
    made.registerNews(3);
    for (let count = 0; count < 60; count += 1) {
      made.pull.send(...opening(), key(made.now));
      live(made, 600);
      made.pull.handler.onEnd();
      made.pass(300);
    }
    assert.equal(viewer.ended, false);
    assert.ok(made.pulls.length >= 60);
  });

  test('does not spend the grace of one that delivers again', () => {
    const made = relays({ graceMs: 5_000 });
    const viewer = made.watch();
    for (let time = 0; time < 3; time += 1) {
      made.pull.send(...opening(), key(made.now));
      live(made, 12_000);
      made.pull.handler.onEnd();
      made.pass(500);
      assert.equal(viewer.ended, false);
    }
  });

  test('that is on trial when the grace is over is not cut while it delivers', () => {
    const made = relays({ graceMs: 5_000 });
    const viewer = made.watch();
    made.pull.send(...opening(), key(0));
    made.pull.handler.onEnd();
    made.pass(1_000);
    made.pull.send(...opening(), key(made.now));
    live(made, 60_000);
    assert.equal(viewer.ended, false);
  });
});

describe('whose fault it is', () => {
  test('that a stream of a made-up name is not there: nobody is blamed, however it is said', () => {
    const answers: [string, (made: ScriptedRelays) => void][] = [
      ['404', (made) => made.pull.handler.onResponse(404, {})],
      ['401', (made) => made.pull.handler.onResponse(401, {})],
      ['403', (made) => made.pull.handler.onResponse(403, {})],
      ['500', (made) => made.pull.handler.onResponse(500, {})],
      ['a page', (made) => made.pull.send(Buffer.from('<html>no such stream</html>'))],
      [
        'an empty stream',
        (made) => {
          made.pull.send(...opening());
          made.pull.handler.onEnd();
        },
      ],
      ['silence', (made) => made.pass(6_000)],
      [
        'headers only',
        (made) => {
          made.pull.send(...opening());
          made.pass(6_000);
        },
      ],
    ];
    for (const [what, answer] of answers) {
      const made = relays();
      const viewer = made.watch('/live/news_made-up.flv');
      answer(made);
      assert.ok(viewer.refused, what);
      assert.deepEqual(
        made.outcomes.map(({ outcome }) => outcome),
        ['abandoned'],
        what,
      );
      made.close();
    }
  });

  test('that names are made up fills no log', () => {
    const made = relays();
    for (let count = 0; count < 200; count += 1) {
      made.watch(`/live/news_${count}.flv`);
      made.pull.handler.onResponse(404, {});
    }
    assert.deepEqual([made.pulls.length, made.warnings.length], [200, 1]);
  });

  test('that one endpoint is silent where another delivers: the silent one is blamed', () => {
    const made = relays();
    made.registerNews(2);
    made.watch();
    made.pass(3_500);
    assert.deepEqual(made.outcomes, []);
    made.pull.send(...opening(), key(0), sound(0));
    live(made, 1_000);
    assert.deepEqual(made.outcomes, [{ address: '10.0.0.1:80', outcome: 'stall' }]);
  });

  test('that an endpoint refuses a pull is told the player as 403', () => {
    const made = relays();
    const viewer = made.watch();
    made.pull.handler.onResponse(403, {});
    assert.equal(viewer.refused?.status, 403);
  });
});

describe('streams of one channel', () => {
  const urls = (made: ScriptedRelays) => made.pulls.map(({ request }) => request.path);

  test('are the same however a player spells the name', () => {
    const made = relays();
    for (const path of ['/live/news.flv', '/live/%6eews.flv', '/live/%6Ee%77s.flv', '/%6Cive/news.flv'])
      made.watch(path);
    for (const path of ['/live/news_720p.flv', '/live/news_720%70.%66lv']) made.watch(path);
    assert.deepEqual(urls(made), ['/live/news.flv', '/live/news_720p.flv']);
  });

  test('are the same under any first part of the path, where the endpoints have paths of their own', () => {
    const made = relays();
    made.register(endpoint('news', 'http://10.0.0.1/a/b'), endpoint('news', 'http://10.0.0.2/{channel}{rest}'));
    for (let count = 0; count < 100; count += 1) made.watch(`/app-${count}/news.flv`);
    assert.deepEqual(urls(made), ['/a/b.flv']);
    made.register(endpoint('news', 'http://10.0.0.1/a/b'), endpoint('news', '10.0.0.3:80'));
    made.watch('/tv/news.flv');
    assert.equal(made.pulls.length, 2, 'one that takes the path as it is makes it matter');
  });

  test('that one player starts are few, and leave room for others', () => {
    const made = relays();
    const refusals = Array.from({ length: 200 }, (_, index) => {
      try {
        made.watch(`/app-${index}/news.flv`, { client: 'greedy' });
        return undefined;
      } catch (error) {
        return (error as WeirError).code;
      }
    });
    assert.deepEqual([made.pulls.length, new Set(refusals)], [8, new Set([undefined, 'relay_full'])]);
    made.watch('/live/news.flv');
    made.watch('/live/news_720p.flv');
    assert.equal(made.pulls.length, 10);
  });

  test('that nobody waits for any more and that never came are left at once', () => {
    const made = relays();
    for (let count = 0; count < 200; count += 1) made.watch(`/app-${count}/news.flv`).subscription?.cancel();
    assert.equal(made.pulls.length, 200);
    assert.ok(made.pulls.every(({ aborted }) => aborted));
    assert.deepEqual(made.relays.report(), []);
    made.close();
    assert.equal(made.clock.pending, 0, 'no timer is left');
  });

  test('that are left one after the other end before their time, so that a player who zaps never meets a full edge', () => {
    const made = relays({ maxRelays: 3, lingerMs: 60_000 });
    const viewer = made.watch('/live/news_0.flv', { client: 'who stays' });
    made.pull.send(...opening(), key(0), sound(0));
    for (let count = 1; count < 20; count += 1) {
      const zapper = made.watch(`/live/news_${count}.flv`, { client: `${count}` });
      made.pull.send(...opening(), key(made.now), sound(made.now));
      assert.ok(zapper.tags.length > 0);
      zapper.subscription?.cancel();
      made.pass(100);
    }
    assert.deepEqual([made.relays.report().length, viewer.ended], [3, false]);
  });
});

describe('what waits in memory for viewers who do not read', () => {
  const mebibyte = 1 << 20;

  /** A group of one keyframe of 1 MiB, and a second of small frames after it. */
  function heavy(total = 8 * mebibyte): ScriptedRelays {
    const made = relays({
      maxViewerBytes: 4 * mebibyte,
      maxViewerMediaMs: 60_000,
      maxHeldBytes: total,
      maxGroupBytes: 4 * mebibyte,
    });
    made.watch();
    const body = Buffer.alloc(mebibyte - 100);
    body.set([0x17, 1]);
    made.pull.send(...opening(), flvTag(9, 0, body), sound(0));
    made.pass(200, () => made.pull.send(inter(made.now), sound(made.now)));
    return made;
  }
  const goOn = (made: ScriptedRelays, ms: number) =>
    made.pass(ms, () => made.pull.send(inter(made.now), sound(made.now)));

  test('is bounded in all: those who took nothing for longest are closed, others notice nothing', async () => {
    const made = heavy();
    const reader = made.watch();
    const slow = made.watch();
    const sleepers = Array.from({ length: 30 }, () => {
      const sleeper = made.watch(undefined, { reads: false });
      goOn(made, 100);
      slow.socket.reads = true;
      slow.socket.take();
      slow.socket.reads = false;
      return sleeper;
    });
    goOn(made, 2_000);
    const closed = sleepers.map(({ socket }) => socket.destroyed);
    const left = closed.filter((isClosed) => !isClosed).length;
    assert.ok(left >= 6 && left <= 8, `${left} are left`);
    assert.ok(closed.slice(0, 30 - left).every(Boolean), 'the first to come are the first to go');
    assert.deepEqual([reader.socket.destroyed, slow.socket.destroyed], [false, false]);
    const [bytes] = (await made.metrics.relayHeldBytes.get()).values;
    assert.ok((bytes?.value ?? 0) > 6 * mebibyte && (bytes?.value ?? 0) <= 8 * mebibyte, `${bytes?.value}`);
  });

  test('is little where many share it: nobody is closed for that', () => {
    const made = heavy();
    const sleepers = Array.from({ length: 200 }, () => made.watch(undefined, { reads: false }));
    goOn(made, 5_000);
    assert.ok(sleepers.every(({ socket }) => !socket.destroyed));
  });

  test('is looked at in time also when very many come at once', () => {
    const made = heavy(4 * mebibyte);
    const sleepers = Array.from({ length: 6 }, () => {
      const sleeper = made.watch(undefined, { reads: false });
      goOn(made, 100);
      return sleeper;
    });
    assert.ok(made.now < 1_000, 'before the regular look');
    const closed = sleepers.filter(({ socket }) => socket.destroyed);
    assert.ok(closed.length >= 2 && closed.length < 6, `${closed.length} are closed`);
  });
});

describe('an endpoint that floods', () => {
  test('is held back until the next batch, and read on', () => {
    const made = relays();
    const viewer = made.watch();
    made.pull.send(...opening(), key(0));
    made.pass(200);
    for (let sent = 0; sent < 100 && !made.pull.paused; sent += 1) {
      made.pull.send(flvTag(9, made.now, Buffer.alloc(200_000, 0x27)));
    }
    assert.ok(made.pull.paused);
    const before = viewer.socket.chunks.length;
    made.pass(200);
    assert.equal(made.pull.paused, false);
    assert.ok(viewer.socket.chunks.length > before);
  });

  test('with what is left out is left as a silent one', () => {
    const made = relays();
    made.watch();
    made.pull.send(...opening(), key(0), sound(0));
    made.pass(200);
    const junk = flvTag(15, 0, Buffer.alloc(60_000));
    const [first] = made.pulls;
    made.pass(9_000, () => first?.aborted === false && first.send(junk, file()));
    assert.equal(first?.aborted, true);
  });
});

describe('viewers whose time at this edge is over', () => {
  test('are ended in order, those who came later and other workers are not', () => {
    const made = relays();
    const early = made.watch();
    const worker = made.watch(undefined, { framing: 'peer' });
    made.pull.send(...opening());
    live(made, 3_000);
    const late = made.watch();
    live(made, 1_000);
    made.relays.dismiss(made.now - 2_000);
    assert.deepEqual([early.ended, worker.ended, late.ended], [true, false, false]);
    const before = late.tags.length;
    live(made, 1_000);
    assert.ok(late.tags.length > before, 'the stream goes on for the others');
    made.relays.dismiss(made.now + 1);
    assert.deepEqual([worker.ended, late.ended], [false, true]);
  });
});
