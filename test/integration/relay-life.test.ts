// The relay behind its real HTTP listener, in front of origins that do what each test says.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { ConfigInput } from '../../src/config-schema.js';
import type { EndpointId } from '../../src/model.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane } from '../support/data-plane.js';
import { FlvViewer, type SeenTag } from '../support/flv-viewer.js';
import { LiveOrigin, type LiveOriginOptions } from '../support/live-origin.js';
import { startHttpOrigin } from '../support/origin-server.js';
import { longestStandstill } from '../support/standstill.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();
/** How long this process, with the edge and the viewers in it, stood still at most: no pause of the relay's making. */
const standstill = longestStandstill();

async function edge(overrides: ConfigInput = {}): Promise<TestDataPlane> {
  const started = await startDataPlane(overrides);
  cleanups.push(() => started.close());
  return started;
}
async function origin(options?: LiveOriginOptions): Promise<LiveOrigin> {
  const started = await LiveOrigin.start(options);
  cleanups.push(() => started.close());
  return started;
}
function watch(weir: TestDataPlane, scheme: 'http' | 'ws' = 'http', headers = {}, name = 'news'): FlvViewer {
  const viewer = FlvViewer.open(`${scheme}://127.0.0.1:${weir.port}/live/${name}.flv`, headers);
  cleanups.push(() => viewer.leave());
  return viewer;
}
const watching = (viewer: FlvViewer) => waitFor(() => viewer.media.length > 0, { what: 'media' });
const more = async (viewer: FlvViewer, count = 50) => {
  const before = viewer.media.length;
  await waitFor(() => viewer.media.length > before + count, { what: 'more media' });
};
const pulls = (weir: TestDataPlane, outcome: string) =>
  metricValue(weir.metrics, 'weir_relay_pulls_total', { outcome });
const endpointNow = (weir: TestDataPlane) => weir.plane.relays()[0]?.endpoint;
/** The first is chosen first. */
const ranked = (weir: TestDataPlane, ...origins: LiveOrigin[]) =>
  weir.register(...origins.map(({ address }, index) => endpoint('news', address, { load: index / 10 })));

describe('joining', () => {
  test('all that a late joiner needs comes first, and it starts with the last keyframe', async () => {
    const a = await origin({ group: 60_000 });
    const weir = await edge();
    ranked(weir, a);
    const early = watch(weir);
    await more(early);
    for (const scheme of ['http', 'ws'] as const) {
      const late = watch(weir, scheme);
      await watching(late);
      assert.equal(early.keyframes.length, 1, 'no wait for the next keyframe');
      assert.deepEqual(late.flags, { audio: true, video: true });
      assert.deepEqual(
        late.tags.slice(0, 4).map((tag) => tag.slot ?? (tag.keyframe ? 'keyframe' : 'media')),
        ['metadata', 'video', 'audio', 'keyframe'],
      );
      assert.deepEqual(late.stepsBack(), []);
    }
    assert.equal(a.pulls, 1);
  });

  test('a rendition is a stream of its own, which its viewers share from a keyframe on, however its name is spelled', async () => {
    const a = await origin();
    const weir = await edge();
    ranked(weir, a);
    await more(watch(weir));
    const early = watch(weir, 'http', {}, 'news_720p');
    await more(early);
    for (const [scheme, name] of [
      ['http', 'news_720p'],
      ['ws', 'news_720p'],
      ['http', 'news_%3720p'],
    ] as const) {
      const late = watch(weir, scheme, {}, name);
      await watching(late);
      assert.equal(late.media[0]?.keyframe, true);
      assert.ok((late.media[0]?.timestamp ?? 0) > (early.media[0]?.timestamp ?? 0), 'not from its beginning');
    }
    assert.deepEqual(
      a.requests.map(({ url }) => url),
      ['/live/news.flv', '/live/news_720p.flv'],
    );
  });

  test('the header claims the tracks that the stream has, whatever the origin claims', async () => {
    for (const [options, flags] of [
      [{ audio: false }, { audio: false, video: true }],
      [{ video: false }, { audio: true, video: false }],
      [{ claims: { audio: false, video: false } }, { audio: true, video: true }],
    ] as const) {
      const weir = await edge();
      ranked(weir, await origin(options));
      const first = watch(weir);
      await more(first, 10);
      assert.deepEqual(first.flags, flags);
      const late = watch(weir);
      await watching(late);
      assert.deepEqual(late.flags, flags);
    }
  });

  test('viewers who come while the pull starts share it', async () => {
    const a = await origin();
    const weir = await edge();
    ranked(weir, a);
    const viewers = Array.from({ length: 20 }, (_, index) => watch(weir, index % 2 === 0 ? 'http' : 'ws'));
    for (const viewer of viewers) await watching(viewer);
    assert.equal(a.pulls, 1);
    weir.plane.collect();
    assert.equal(await metricValue(weir.metrics, 'weir_relay_viewers', { protocol: 'flv' }), 10);
    assert.equal(await metricValue(weir.metrics, 'weir_relay_viewers', { protocol: 'ws-flv' }), 10);
    assert.equal(await metricValue(weir.metrics, 'weir_relays'), 1);
    const [report] = weir.plane.relays();
    assert.deepEqual(
      [report?.state, report?.endpoint, report?.video_codec, report?.audio_codec, report?.viewers],
      ['live', a.address, 'h264', 'aac', { http: 10, websocket: 10, workers: 0, waiting: 0 }],
    );
    await waitFor(() => weir.plane.relays()[0]?.bitrate, { what: 'a measured bitrate' });
    const { bitrate = 0, gop_seconds: gop } = weir.plane.relays()[0] ?? {};
    assert.equal(gop, 0.4);
    assert.ok(bitrate > 70 && bitrate < 90, `${bitrate} kbit/s`);
  });

  test('the pull carries neither the query of a player nor its cookies', async () => {
    const a = await origin();
    const weir = await edge();
    ranked(weir, a);
    const viewer = FlvViewer.open(`${weir.url}/live/news.flv?token=secret`, { cookie: 'a=b' });
    cleanups.push(() => viewer.leave());
    await watching(viewer);
    assert.equal(a.requests[0]?.url, '/live/news.flv');
    assert.equal(a.requests[0]?.headers.cookie, undefined);
  });

  test('HTTP/1.0 and Connection: close get the bare stream, others chunks', async () => {
    const weir = await edge();
    ranked(weir, await origin());
    for (const [version, connection, chunked] of [
      ['1.0', '', false],
      ['1.1', 'Connection: close\r\n', false],
      ['1.1', '', true],
    ] as const) {
      const socket = connect(weir.port, '127.0.0.1');
      cleanups.push(() => socket.destroy());
      socket.write(`GET /live/news.flv HTTP/${version}\r\nHost: e\r\n${connection}\r\n`);
      let text = '';
      socket.on('data', (data) => {
        text += data.toString('latin1');
      });
      await waitFor(() => text.includes('FLV\x01'));
      const head = text.slice(0, text.indexOf('\r\n\r\n'));
      const body = text.slice(text.indexOf('\r\n\r\n') + 4);
      assert.match(head, /^HTTP\/1\.1 200 OK/);
      assert.match(head, /content-type: video\/x-flv/i);
      assert.match(head, /access-control-allow-origin: \*/i);
      assert.equal(/transfer-encoding: chunked/i.test(head), chunked);
      assert.equal(body.startsWith('FLV'), !chunked);
    }
  });

  test('pings over WebSocket are answered amid the stream, and a close ends it', async () => {
    const weir = await edge();
    ranked(weir, await origin());
    const socket = new WebSocket(`ws://127.0.0.1:${weir.port}/live/news.flv`);
    await once(socket, 'message');
    socket.ping('hello');
    const [answer] = (await once(socket, 'pong')) as [Buffer];
    assert.equal(answer.toString(), 'hello');
    socket.close();
    await once(socket, 'close');
    await waitFor(() => weir.plane.relays()[0]?.viewers.websocket === 0);
  });

  test('a pipelined request waits its turn instead of writing into the stream', async () => {
    const weir = await edge();
    ranked(weir, await origin());
    const socket = connect(weir.port, '127.0.0.1');
    cleanups.push(() => socket.destroy());
    socket.write('GET /live/news.flv HTTP/1.1\r\nHost: e\r\n\r\n'.repeat(2));
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    await waitFor(() => text.length > 20_000);
    assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1);
    assert.equal(text.split('FLV\x01').length, 2);
  });
});

describe('refusals', () => {
  test('errors of a first pull are answered, not hung on', async () => {
    for (const [status, expected] of [
      [404, 404],
      [500, 502],
      [302, 502],
    ] as const) {
      const weir = await edge();
      ranked(weir, await origin({ status }));
      for (const scheme of ['http', 'ws'] as const) {
        const viewer = watch(weir, scheme);
        await waitFor(() => viewer.ended);
        assert.equal(viewer.status, expected, `${status} ${scheme}`);
      }
      await waitFor(() => weir.plane.relays().length === 0);
    }
  });

  test('a bad endpoint costs a retry on another one', async () => {
    const [bad, good] = [await origin({ status: 500 }), await origin()];
    const weir = await edge();
    ranked(weir, bad, good);
    const viewer = watch(weir);
    await watching(viewer);
    assert.equal(endpointNow(weir), good.address);
    assert.equal(await pulls(weir, 'status'), 1);
  });

  test('a silent endpoint is answered 504 after the deadline for the first byte', async () => {
    const a = await origin();
    a.stalled = true;
    const weir = await edge({ upstream: { firstByteTimeout: '300ms' } });
    ranked(weir, a);
    const viewer = watch(weir);
    await waitFor(() => viewer.ended);
    assert.equal(viewer.status, 504);
  });

  test('what is not FLV is answered 502', async () => {
    const page = await startHttpOrigin((_request, response) => response.end('<html>no such stream</html>'));
    cleanups.push(() => page.close());
    const odd = await origin();
    odd.headers = () => Buffer.from('<html>no such stream</html>');
    for (const { address } of [page, odd]) {
      const weir = await edge();
      weir.register(endpoint('news', address));
      const viewer = watch(weir);
      await waitFor(() => viewer.ended);
      assert.equal(viewer.status, 502);
      assert.match(viewer.refusal, /Broken FLV/);
    }
  });

  test('viewers and relays are limited', async () => {
    const a = await origin();
    const weir = await edge({ relay: { maxViewers: 2, maxRelays: 1 } });
    weir.register(endpoint('news', a.address), endpoint('more', a.address));
    for (let count = 0; count < 2; count += 1) await watching(watch(weir));
    for (const url of [`${weir.url}/live/news.flv`, `${weir.url}/live/more.flv`]) {
      const answer = await fetch(url);
      assert.equal(answer.status, 503);
      assert.equal(((await answer.json()) as { error: string }).error, 'relay_full');
    }
  });

  test('an endpoint that points back at this edge is refused, not a loop', async () => {
    const weir = await edge();
    weir.register(endpoint('news', `127.0.0.1:${weir.port}`));
    const answer = await fetch(`${weir.url}/live/news.flv`);
    assert.equal(answer.status, 503);
  });
});

describe('life', () => {
  test('the pull outlives its last viewer for the linger time, and a newcomer keeps it', async () => {
    const a = await origin();
    const weir = await edge({ relay: { linger: '3s' } });
    ranked(weir, a);
    const first = watch(weir);
    await watching(first);
    first.leave();
    await waitFor(() => weir.plane.relays()[0]?.viewers.http === 0);
    const second = watch(weir);
    await watching(second);
    assert.equal(a.pulls, 1);
    second.leave();
    await waitFor(() => a.viewers === 0, { what: 'the end of the pull' });
    assert.deepEqual(weir.plane.relays(), []);
    assert.equal(await pulls(weir, 'left'), 1);
  });

  test('with the relay turned off every viewer has a pull', async () => {
    const a = await origin();
    const weir = await edge({ relay: { enabled: false } });
    ranked(weir, a);
    for (let count = 0; count < 3; count += 1) await watching(watch(weir));
    assert.equal(a.pulls, 3);
  });

  test('draining ends the streams cleanly', async () => {
    const weir = await edge({ shutdown: { grace: '100ms' } });
    ranked(weir, await origin());
    const viewers = [watch(weir), watch(weir, 'ws')];
    for (const viewer of viewers) await watching(viewer);
    await weir.plane.drain();
    await waitFor(() => viewers.every((viewer) => viewer.ended));
  });
});

describe('failover', () => {
  /** Each breaks the first of two origins, whose clocks and headers differ. */
  const faults: [string, string, (a: LiveOrigin) => void][] = [
    ['the end of the stream', 'end', (a) => a.end()],
    ['a cut', 'cut', (a) => a.cut()],
    ['broken framing', 'framing', (a) => a.send(Buffer.alloc(64, 0xff))],
    [
      'silence',
      'stall',
      (a) => {
        a.stalled = true;
      },
    ],
    [
      'no keyframe any more',
      'no_keyframe',
      (a) => {
        a.keyframes = false;
      },
    ],
  ];
  for (const [what, cause, break_] of faults) {
    test(`${what} moves the viewers to another endpoint, on a continuous clock`, async () => {
      const a = await origin({ start: 3_600_000 });
      const b = await origin({ start: 0, profile: 0x64 });
      const weir = await edge({ relay: { stallTimeout: '1s', keyframeTimeout: '2s' } });
      ranked(weir, a, b);
      const viewers = [watch(weir), watch(weir, 'ws')];
      for (const viewer of viewers) await more(viewer);
      break_(a);
      await waitFor(() => endpointNow(weir) === b.address, { what: 'the failover' });
      for (const viewer of viewers) {
        await more(viewer);
        assert.deepEqual(
          { steps: viewer.stepsBack(), error: viewer.error, ended: viewer.ended, headers: viewer.headers },
          { steps: [], error: undefined, ended: false, headers: 1 },
        );
        const gap = viewer.largestGap(9);
        // The last window of the old endpoint waited for up to mergeWindow, the first of the new one did not.
        const pause = viewer.longestPause() + weir.config.relay.mergeWindow + standstill();
        assert.ok(gap <= pause + 60, `a gap of ${gap} ms for a pause of ${pause} ms`);
        const headers = viewer.tags.filter((tag) => tag.slot === 'video');
        assert.equal(headers.length, 2, 'the changed sequence header is sent on');
      }
      assert.equal(await metricValue(weir.metrics, 'weir_relay_failovers_total', { cause }), 1);
      await waitFor(() => a.viewers === 0, { what: 'the old pull to be left' });
    });
  }

  test('unchanged sequence headers are not sent again', async () => {
    const [a, b] = [await origin(), await origin({ start: 50_000 })];
    const weir = await edge();
    ranked(weir, a, b);
    const viewer = watch(weir);
    await more(viewer);
    a.cut();
    await waitFor(() => endpointNow(weir) === b.address);
    await more(viewer);
    assert.equal(viewer.tags.filter((tag) => tag.slot !== undefined).length, 3);
  });

  test('the failed endpoint is taken again when there is no other', async () => {
    const a = await origin();
    const weir = await edge();
    ranked(weir, a);
    const viewer = watch(weir);
    await more(viewer);
    a.cut();
    await waitFor(() => a.pulls >= 2);
    await more(viewer);
    assert.deepEqual([viewer.ended, viewer.stepsBack()], [false, []]);
  });

  test('a stalled endpoint is not picked again while another one lives', async () => {
    const [a, b, c] = [await origin(), await origin(), await origin()];
    const weir = await edge({ relay: { stallTimeout: '1s' } });
    ranked(weir, a, b, c);
    const viewer = watch(weir);
    await more(viewer);
    a.stalled = true;
    await waitFor(() => endpointNow(weir) === b.address);
    await more(viewer);
    b.cut();
    await waitFor(() => endpointNow(weir) === c.address);
    await more(viewer);
    assert.equal(a.pulls, 1);
  });

  test('a candidate that is silent costs its timeout, then the next is tried', async () => {
    const [a, b, c] = [await origin(), await origin(), await origin()];
    b.stalled = true;
    const weir = await edge({ relay: { stallTimeout: '800ms' } });
    ranked(weir, a, b, c);
    const viewer = watch(weir);
    await more(viewer);
    a.cut();
    await waitFor(() => endpointNow(weir) === c.address);
    await more(viewer);
    assert.ok(viewer.longestPause() < 3_000 + standstill());
  });

  test('silence counts against an endpoint in passive health, however fine its HTTP looks, where another one delivers', async () => {
    const [silent, good] = [await origin(), await origin()];
    silent.stalled = true;
    const weir = await edge({
      relay: { stallTimeout: '200ms', linger: 0 },
      balancer: { outlier: { consecutiveFailures: 2 } },
    });
    ranked(weir, silent, good);
    const tried = async () => {
      const viewer = watch(weir);
      await watching(viewer);
      viewer.leave();
      await waitFor(() => weir.plane.relays().length === 0, { what: 'the end of the relay' });
      return metricValue(weir.metrics, 'weir_ejections_total');
    };
    await waitFor(tried, { what: 'an ejection' });
  });

  test('silence on a name that nobody delivers counts against nobody', async () => {
    const a = await origin();
    a.stalled = true;
    const weir = await edge({
      upstream: { firstByteTimeout: '200ms' },
      balancer: { outlier: { consecutiveFailures: 1 } },
    });
    ranked(weir, a);
    for (let count = 0; count < 3; count += 1) {
      const viewer = watch(weir);
      await waitFor(() => viewer.ended);
      assert.equal(viewer.status, 504);
    }
    assert.equal(await metricValue(weir.metrics, 'weir_ejections_total'), 0);
  });

  test('a source that starts its clock again goes on without a step back, at a keyframe', async () => {
    const a = await origin({ start: 100_000 });
    const weir = await edge();
    ranked(weir, a);
    const viewer = watch(weir);
    await more(viewer);
    a.jump(-90_000);
    await more(viewer);
    a.jump(3_600_000);
    await more(viewer);
    assert.deepEqual(viewer.stepsBack(), []);
    assert.ok(viewer.largestGap(9) < 1_500 + standstill(), `${viewer.largestGap(9)}`);
    assert.equal(await metricValue(weir.metrics, 'weir_relay_timestamp_jumps_total', { direction: 'back' }), 1);
    assert.equal(await metricValue(weir.metrics, 'weir_relay_timestamp_jumps_total', { direction: 'forward' }), 1);
    assert.equal(a.pulls, 1);
  });

  test('a stream whose keyframes are far apart is not left to and fro', async () => {
    const [a, b] = [await origin({ group: 1_500 }), await origin({ group: 1_500 })];
    const weir = await edge({ relay: { keyframeTimeout: '1s' } });
    ranked(weir, a, b);
    const viewer = watch(weir);
    await waitFor(() => (weir.plane.relays()[0]?.gop_seconds ?? 0) >= 1.4, { what: 'a group to be seen whole' });
    const { failovers } = weir.plane.relays()[0] ?? {};
    await waitFor(() => viewer.keyframes.length > 5, { what: 'more groups' });
    assert.equal(weir.plane.relays()[0]?.failovers, failovers);
  });

  test('an endpoint registered again under the same address while it delivers is kept', async () => {
    const [a, b] = [await origin(), await origin()];
    const weir = await edge();
    ranked(weir, a, b);
    await more(watch(weir));
    weir.register(endpoint('news', a.address, { id: 'anew' as EndpointId }), endpoint('news', b.address));
    await sleep(300);
    assert.deepEqual([a.pulls, b.pulls, endpointNow(weir)], [1, 0, a.address]);
  });
});

describe('origins that one encoder feeds', () => {
  for (const [what, lag] of [
    ['level with the old one', 0],
    ['behind the old one', 300],
    ['ahead of the old one', -60],
  ] as const) {
    test(`an endpoint ${what} goes on with the next frame: none is lost, none comes twice`, async () => {
      const encoder = performance.now() - 1_000;
      const a = await origin({ encoder, lag: 100, group: 600 });
      const b = await origin({ encoder, lag: 100 + lag, group: 600, start: 90_000 });
      const weir = await edge();
      ranked(weir, a, b);
      const viewer = watch(weir);
      await more(viewer, 100);
      a.cut();
      await waitFor(() => endpointNow(weir) === b.address);
      await more(viewer, 100);
      const steps = (of: (tag: SeenTag) => number) =>
        viewer.media
          .filter((tag) => tag.type === 9)
          .flatMap((tag, index, all) => (index === 0 ? [] : [of(tag) - of(all[index - 1] ?? tag)]));
      assert.deepEqual([...new Set(steps((tag) => tag.frame?.[1] ?? 0))], [1], 'every frame once');
      assert.deepEqual([...new Set(steps((tag) => tag.timestamp))], [20], 'at its time');
    });
  }
});
