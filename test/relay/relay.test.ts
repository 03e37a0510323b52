// One stream for all who watch it: what it says of itself, how long it stays, and what it counts.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { inter, key, opening, sound } from '../support/flv-frames.js';
import { ScriptedRelays } from '../support/scripted-relay.js';

const cleanups = cleanupsAfterEach();

function relays(settings: ConstructorParameters<typeof ScriptedRelays>[0] = {}): ScriptedRelays {
  const made = new ScriptedRelays(settings);
  cleanups.push(() => made.close());
  made.registerNews();
  return made;
}
/** Pictures and sound, a keyframe each second. */
function live(made: ScriptedRelays, ms: number): void {
  made.pass(ms, () => {
    made.pull.send(made.now % 1_000 === 0 ? key(made.now) : inter(made.now), sound(made.now));
  });
}
const stateOf = (made: ScriptedRelays) => made.relays.report()[0]?.state;

test('it is starting, live, holding, and live again, and says how it came', () => {
  const made = relays();
  const viewer = made.watch();
  assert.deepEqual([stateOf(made), viewer.started], ['starting', false]);
  made.pull.send(...opening());
  live(made, 3_000);
  assert.deepEqual([stateOf(made), viewer.started], ['live', true]);
  const [report] = made.relays.report();
  assert.deepEqual([report?.videoCodec, report?.audioCodec, report?.groupMs], ['h264', 'aac', 1_000]);
  made.pull.handler.onEnd();
  assert.equal(stateOf(made), 'holding');
  made.pass(300);
  made.pull.send(...opening());
  live(made, 1_000);
  const [after] = made.relays.report();
  assert.deepEqual(
    [after?.state, after?.failovers, after?.endpoint, after?.fromPeer],
    ['live', 1, '10.0.0.1:80', undefined],
  );
});

test('who comes while viewers are held waits with them, for the stream or for its own deadline', () => {
  const made = relays({ graceMs: 60_000 });
  made.watch();
  made.pull.send(...opening());
  live(made, 3_000);
  made.pull.handler.onEnd();
  const impatient = made.watch();
  made.pass(2_600);
  const late = made.watch();
  assert.deepEqual([made.relays.report()[0]?.waiting, late.started], [2, false]);
  made.pass(2_600);
  assert.equal(impatient.refused?.code, 'upstream_first_byte_timeout');
  made.pull.send(...opening(), key(made.now), sound(made.now));
  live(made, 500);
  assert.deepEqual([late.started, late.refused], [true, undefined]);
});

describe('the pull', () => {
  test('outlives the last viewer for the linger time, and stays with whoever comes in it', () => {
    const made = relays({ lingerMs: 2_000 });
    const first = made.watch();
    made.pull.send(...opening());
    live(made, 1_000);
    first.subscription?.cancel();
    live(made, 1_900);
    const second = made.watch();
    live(made, 5_000);
    assert.deepEqual([made.pulls.length, second.started, second.ended], [1, true, false]);
    second.subscription?.cancel();
    second.subscription?.cancel();
    live(made, 1_900);
    made.pass(200);
    assert.deepEqual([made.relays.report(), made.pulls[0]?.aborted], [[], true]);
    assert.equal(made.clock.pending, 0, 'no timer is left');
  });

  test('ends at once where nobody waits for what never came', () => {
    const made = relays();
    made.watch().subscription?.cancel();
    assert.deepEqual([made.relays.report(), made.pulls[0]?.aborted], [[], true]);
  });
});

test('a stream that there is no room for is refused when it turns out to exist', () => {
  const made = relays({ maxChannelRelays: 1 });
  const first = made.watch('/live/news.flv', { client: 'first' });
  made.pull.send(...opening(), key(0), sound(0));
  first.subscription?.cancel();
  const second = made.watch('/live/news_720p.flv', { client: 'second' });
  // Nobody watched the first one when the second was begun; now somebody does.
  made.watch('/live/news.flv', { client: 'first' });
  made.pull.send(...opening(), key(0), sound(0));
  assert.equal(second.refused?.code, 'relay_full');
  assert.equal(made.relays.report().length, 1);
});

describe('what viewers were given is counted to the byte', () => {
  const sent = (made: ScriptedRelays) => made.metrics.traffic.sent.flv;

  test('also where one begins amid a batch, since the group of pictures was too large to keep', () => {
    const made = relays({ maxGroupBytes: 2_000 });
    const viewers = [made.watch()];
    made.pull.send(...opening());
    live(made, 1_500);
    viewers.push(made.watch());
    live(made, 2_000);
    made.pass(200);
    assert.ok(viewers.every(({ tags }) => tags.length > 0));
    assert.equal(
      sent(made),
      viewers.reduce((sum, { socket }) => sum + socket.bytesWritten, 0),
    );
  });

  test('and where one goes on with a keyframe after it had skipped', () => {
    const made = relays({ maxViewerBytes: 400 });
    const { socket } = made.watch();
    made.pull.send(...opening());
    live(made, 1_000);
    socket.reads = false;
    live(made, 1_000);
    socket.take();
    socket.reads = true;
    const before = socket.chunks.length;
    live(made, 3_000);
    made.pass(200);
    assert.ok(socket.chunks.length > before + 10);
    assert.equal(sent(made), socket.bytesWritten);
  });
});

test('a first endpoint that fails and another that is asked is a retry, by what failed', async () => {
  const made = relays();
  made.registerNews(2);
  made.watch();
  made.pull.handler.onResponse(500, {});
  made.pull.send(...opening(), key(0), sound(0));
  const { values } = await made.metrics.retries.get();
  assert.deepEqual(
    values.map(({ labels, value }) => [labels.cause, value]),
    [['upstream_status', 1]],
  );
});
