// Which endpoint's playlist players see, and what it means that one gives none.

import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { WeirError } from '../../../src/errors.js';
import { parsePlaylist } from '../../../src/hls/playlist/parser.js';
import type { Inspected } from '../../../src/hls/session/inspection.js';
import { RefusedError, StatusError } from '../../../src/hls/session/playlist-loader.js';
import { Presented } from '../../../src/hls/session/presented.js';
import { type RefreshRequest, refresh } from '../../../src/hls/session/refresh.js';
import { list } from '../../support/bench.js';
import { SessionParts } from '../../support/hls-parts.js';

const [a, b] = ['10.0.0.1:80', '10.0.0.2:80'];
let parts: SessionParts;
let presented: Presented;
/** What was accepted. */
let given: Inspected[];
/** Happens between the look at what an endpoint gave and its publication. */
let meanwhile: () => void;

function begin(options: ConstructorParameters<typeof SessionParts>[0] = {}): void {
  parts = new SessionParts(options);
  parts.registerAll(a, b);
  presented = new Presented(parts.tools, '.m3u8');
  given = [];
  meanwhile = () => {};
}
beforeEach(() => begin());

function ask(of = presented, suffix = '.m3u8'): ReturnType<typeof refresh> {
  const request: RefreshRequest = {
    suffix,
    presented: of,
    mayPrefetch: () => {
      meanwhile();
      return false;
    },
    ask: (deadlineMs) => ({ suffix, originQuery: '', variant: undefined, own: '', deadlineMs }),
    accept: (inspected) => {
      given.push(inspected);
      const { proposal } = inspected;
      assert.ok(proposal !== undefined);
      return of.publish(proposal, parts.now);
    },
  };
  return refresh(parts.tools, request);
}

const currentAddress = () => parts.tools.choice.current?.pick.endpoint.address;
const hosts = () => parts.asked.map((url) => new URL(url).host.replace(/:80$/, '')).map((host) => `${host}:80`);

suite('a playlist is refreshed', () => {
  test("from the best endpoint, which is the session's from then on", async () => {
    parts.script(a, list(10, 5));
    assert.match((await ask()).text, /s14\.ts/);
    assert.equal(currentAddress(), a);
    assert.deepEqual(hosts(), [a]);
    assert.equal(parts.tools.timeline.period?.number, 0);
  });

  test('from the next endpoint when one fails, and players go on behind a discontinuity', async () => {
    parts.script(a, list(10, 5));
    await ask();
    parts.script(a, new WeirError('upstream_connect'));
    parts.script(b, list(500, 5, { prefix: 'other' }));
    assert.match((await ask()).text, /MEDIA-SEQUENCE:15\n#EXT-X-DISCONTINUITY\n[\s\S]*other504\.ts/);
    assert.equal(currentAddress(), b);
    assert.deepEqual(parts.outcomes, ['connect_error']);
    assert.equal(parts.tools.choice.lastSwitch?.cause, 'upstream');
  });

  test('with one step: what was looked at is what is published', async () => {
    parts.script(a, list(10, 5));
    await ask();
    assert.equal(given.length, 1);
    assert.equal(presented.window, given[0]?.proposal?.stepped.window);
  });

  test('and the step is taken again when another answer to the same playlist came first', async () => {
    parts.script(a, list(10, 5));
    await ask();
    const first = given[0];
    const newer = parsePlaylist(list(12, 5));
    assert.ok(first !== undefined && newer.kind === 'media');
    parts.script(a, list(11, 5));
    meanwhile = () => {
      presented.publish(presented.propose(first.link, first.fetched, newer, false), parts.now);
    };
    await ask();
    assert.equal(given[1]?.proposal?.stepped.window?.entries.at(-1)?.sequence, 15);
    assert.equal(presented.window?.entries.at(-1)?.sequence, 16);
  });
});

suite('an endpoint that stands still', () => {
  beforeEach(async () => {
    parts.script(a, list(10, 5));
    await ask();
    parts.now += parts.context.settings.stallFactor * 2_000 + 1;
  });

  test('is left for one that goes on', async () => {
    parts.script(b, list(500, 5, { prefix: 'other' }));
    assert.match((await ask()).text, /other504\.ts/);
    assert.equal(currentAddress(), b);
    assert.deepEqual(parts.outcomes, ['stall']);
  });

  test('is kept when no other is better', async () => {
    parts.script(b, new WeirError('upstream_connect'));
    assert.match((await ask()).text, /s14\.ts/);
    assert.equal(currentAddress(), a);
  });

  test('is kept where there is no other, and nobody else is asked', async () => {
    parts.registerAll(a);
    parts.asked.length = 0;
    await ask();
    assert.deepEqual(hosts(), [a]);
  });
});

suite('a status', () => {
  test('of a playlist that nobody ever had is the answer for the player who asked', async () => {
    parts.script(a, 404);
    parts.script(b, 404);
    await assert.rejects(ask(), (error) => error instanceof RefusedError && error.status === 404);
    assert.equal(currentAddress(), undefined);
    assert.ok(parts.outcomes.every((outcome) => outcome === 'success'));
  });

  test('of a playlist that was there moves the session', async () => {
    parts.script(a, list(10, 5));
    await ask();
    parts.script(a, 404);
    parts.script(b, list(500, 5));
    await ask();
    assert.equal(currentAddress(), b);
    assert.equal(parts.tools.choice.lastSwitch?.cause, 'missing');
  });

  test("401 to a player's own token is that player's, and moves nobody", async () => {
    begin({ query: 'token=over', partition: 'token=over' });
    parts.script(a, list(10, 5));
    await ask();
    parts.script(a, 401);
    await assert.rejects(ask(), (error) => error instanceof RefusedError && error.status === 401);
    assert.equal(currentAddress(), a);
    assert.deepEqual(hosts(), [a, a]);
  });

  test('of all endpoints that had it is what is left to say', async () => {
    parts.script(a, list(10, 5));
    await ask();
    for (const address of [a, b]) parts.script(address, 410);
    await assert.rejects(ask(), (error) => error instanceof StatusError && !(error instanceof RefusedError));
  });
});

test('a playlist without a segment is no answer', async () => {
  for (const address of [a, b]) parts.script(address, list(10, 0));
  await assert.rejects(ask(), { code: 'upstream_bad_response' });
  assert.equal(presented.rendered, undefined);
});

test('what an endpoint gave does not count when another playlist moved the session meanwhile', async () => {
  const other = new Presented(parts.tools, '/audio.m3u8');
  parts.script(a, list(10, 5));
  parts.script(b, list(500, 5, { prefix: 'other' }));
  await ask();
  await ask(other, '/audio.m3u8');
  let answerLate = (_text: string) => {};
  const late = new Promise<string>((resolve) => {
    answerLate = resolve;
  });
  parts.script(a, (path) => (path.includes('audio') ? new WeirError('upstream_connect') : late));
  const waiting = ask();
  await ask(other, '/audio.m3u8');
  assert.equal(currentAddress(), b);
  answerLate(list(11, 5));
  assert.match((await waiting).text, /other504\.ts/);
  assert.equal(presented.window?.source, other.window?.source);
});

suite('while an endpoint that stands still is compared with another one', () => {
  let other: Presented;
  let answerLate: (answer: WeirError) => void;
  /** The refresh that compares; it waits for b. */
  let waiting: ReturnType<typeof ask>;

  async function compare(): Promise<void> {
    other = new Presented(parts.tools, '/audio.m3u8');
    parts.script(a, list(10, 5));
    await ask();
    await ask(other, '/audio.m3u8');
    parts.now += parts.context.settings.stallFactor * 2_000 + 1;
    const late = new Promise<WeirError>((resolve) => {
      answerLate = resolve;
    });
    parts.script(b, (path) => (path.includes('audio') ? list(500, 5, { prefix: 'other' }) : late));
    waiting = ask();
    await turn();
    assert.equal(hosts().at(-1), b);
  }

  test('another playlist leaves it: nobody is led back to what was left', async () => {
    await compare();
    const { current } = parts.tools.choice;
    assert.ok(current !== undefined);
    parts.tools.choice.failed(current, 'upstream', 'connect_error');
    answerLate(new WeirError('upstream_connect'));
    await assert.rejects(waiting, { code: 'upstream_connect' });
    assert.equal(parts.tools.choice.current, undefined);
  });

  test('another playlist moves to one that is no better: the session stays where that one is', async () => {
    const c = '10.0.0.3:80';
    parts.registerAll(a, b, c);
    await compare();
    parts.script(a, new WeirError('upstream_connect'));
    parts.script(c, new WeirError('upstream_connect'));
    await ask(other, '/audio.m3u8');
    assert.equal(currentAddress(), b);
    parts.script(b, list(500, 5, { prefix: 'other', ended: true }));
    answerLate(new WeirError('upstream_connect'));
    await waiting.catch(() => undefined);
    const { current } = parts.tools.choice;
    assert.ok(current === undefined || !current.isReleased, 'what was left is not the present one');
    if (current !== undefined) assert.equal(currentAddress(), b);
  });
});
