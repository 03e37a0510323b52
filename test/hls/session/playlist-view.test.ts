// One playlist as players get it: at once, anew, or the old one while endpoints fail.

import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';
import { WeirError } from '../../../src/errors.js';
import type { Rendered } from '../../../src/hls/presentation/rendered.js';
import { StatusError } from '../../../src/hls/session/playlist-loader.js';
import { PlaylistView } from '../../../src/hls/session/playlist-view.js';
import { list } from '../../support/bench.js';
import { type Answer, SessionParts } from '../../support/hls-parts.js';

const address = '10.0.0.1:80';
const none = { sequence: undefined, part: undefined, skip: false };
let parts: SessionParts;
let view: PlaylistView;
let committed: number[];
let forgotten: number;

function begin(options: ConstructorParameters<typeof SessionParts>[0] = {}): void {
  parts = new SessionParts(options);
  parts.registerAll(address);
  committed = [];
  forgotten = 0;
  const name = { suffix: '.m3u8', pin: '', variant: undefined, originQuery: '' };
  view = new PlaylistView(name, parts.tools, {
    mayPrefetch: () => false,
    committed: (_view, bytes) => committed.push(bytes),
    forgotten: () => {
      forgotten += 1;
    },
  });
}
beforeEach(() => begin());

const ask = async (own = ''): Promise<Rendered> => view.ask(none, own);

/** The endpoint answers when the test says so. */
function late(): (answer: Answer) => void {
  let settle: (answer: Answer) => void = () => {};
  const answer = new Promise<Answer>((resolve) => {
    settle = resolve;
  });
  parts.script(address, () => answer);
  return settle;
}

suite('the first playlist', () => {
  test('is fetched once for all who wait, and counted', async () => {
    const answer = late();
    const both = [ask(), ask()];
    answer(list(10, 5));
    const [first, second] = await Promise.all(both);
    assert.equal(first, second);
    assert.equal(parts.asked.length, 1);
    assert.equal(view.known, true);
    assert.equal(committed.length, 1);
  });

  test('that no origin has is the answer at once, and the playlist needs no place', async () => {
    parts.script(address, 404);
    await assert.rejects(ask(), (error) => error instanceof StatusError && error.status === 404);
    assert.deepEqual([view.known, forgotten, committed], [false, 1, []]);
  });
});

suite('a playlist that is known', () => {
  beforeEach(async () => {
    parts.script(address, list(10, 5));
    await ask();
    parts.asked.length = 0;
  });

  test('is asked for anew when its time is over', async () => {
    parts.script(address, list(11, 5));
    assert.match((await ask()).text, /s15\.ts/);
    assert.equal(parts.asked.length, 1);
  });

  test('is answered at once, and by the same object, while it is fresh', async () => {
    parts.context.settings.playlistMaxAge = 60_000;
    const rendered = await ask();
    assert.equal(view.ask(none, ''), rendered);
    assert.equal(parts.asked.length, 1);
  });

  test('stands in for the grace while no endpoint answers, then who asks hears so', async () => {
    parts.script(address, new WeirError('upstream_connect'));
    assert.match((await ask()).text, /s14\.ts/);
    assert.equal(view.servesStale, true);
    parts.now += parts.context.settings.grace;
    assert.equal(view.servesStale, false);
    await assert.rejects(ask(), { code: 'no_endpoint' });
    parts.script(address, list(11, 5));
    await assert.rejects(ask(), { code: 'no_endpoint' }, 'the endpoint is not asked again at once');
    parts.now += 250;
    assert.match((await ask()).text, /s15\.ts/);
  });

  test('is told anew after the endpoint changed, though it was fresh', async () => {
    parts.context.settings.playlistMaxAge = 60_000;
    await ask();
    view.expire();
    await ask();
    assert.equal(parts.asked.length, 2);
  });

  test('a part without the number of its segment is refused', () => {
    assert.throws(
      () => view.ask({ sequence: undefined, part: 1, skip: false }, ''),
      (error) => error instanceof WeirError && error.code === 'bad_request',
    );
  });

  test('goes on in another process with the same numbers', async () => {
    const state = view.state(0);
    assert.ok(state !== undefined);
    begin();
    view.restore(state.window);
    parts.script(address, new WeirError('upstream_connect'));
    assert.match((await ask()).text, /MEDIA-SEQUENCE:10\n/);
  });
});

test("a refusal of a player's own token is that player's, and the playlist goes on as it is for others", async () => {
  parts.tools.tokens.query = 'token=good';
  parts.script(address, (path) => (path.includes('token=bad') ? 403 : list(10, 5)));
  await ask('token=good');
  parts.tools.tokens.query = 'token=bad';
  assert.match((await ask('token=good')).text, /s14\.ts/);
  assert.equal(parts.tools.tokens.query, 'token=good');
  assert.equal(view.servesStale, true);
});
