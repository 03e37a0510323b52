// Origins of different make, and a real player through a failover between them.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, startDataPlane } from '../support/data-plane.js';
import { FlvViewer } from '../support/flv-viewer.js';
import { type MediaOrigin, startFfmpegOrigin, startNodeMediaServer } from '../support/media-origins.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();
async function started(origin: Promise<MediaOrigin>): Promise<MediaOrigin> {
  const ready = await origin;
  cleanups.push(() => ready.kill());
  return ready;
}

/** Runs ffmpeg on the stream for so many seconds of media; resolves with what it complained about. */
function ffmpeg(url: string, seconds: number, ...output: string[]): Promise<{ code: number; complaints: string }> {
  const input = ['-hide_banner', '-nostdin', '-y', '-loglevel', 'warning', '-i', url, '-t', String(seconds)];
  const child = spawn('ffmpeg', [...input, ...output], { stdio: ['ignore', 'ignore', 'pipe'] });
  cleanups.push(() => child.kill('SIGKILL'));
  let complaints = '';
  child.stderr.on('data', (data) => {
    complaints += data;
  });
  return once(child, 'close').then(([code]) => ({ code: code as number, complaints }));
}

test('from Node-Media-Server to an ffmpeg server: ffmpeg as a viewer decodes on, no timestamp goes back', async () => {
  const nms = await started(startNodeMediaServer('news'));
  const other = await started(startFfmpegOrigin());
  const weir = await startDataPlane();
  cleanups.push(() => weir.close());
  const first = endpoint('news', nms.address, { load: 0 });
  weir.register(first);
  const url = `${weir.url}/live/news.flv`;
  // The publisher may need a moment: until then the stream is silent and players get 504. The other one serves only one
  // client: it must not be tried before.
  const viewer = await waitFor(
    async () => {
      const attempt = FlvViewer.open(url);
      await waitFor(() => attempt.ended || attempt.media.length > 0);
      if (attempt.ended) return undefined;
      return attempt;
    },
    { what: 'the first media', deadline: 120_000 },
  );
  cleanups.push(() => viewer.leave());
  weir.register(first, endpoint('news', `http://${other.address}/live`, { load: 0.9 }));
  assert.equal(weir.plane.relays()[0]?.endpoint, nms.address);
  const decoded = ffmpeg(url, 12, '-f', 'null', '-');
  const copied = ffmpeg(url, 12, '-c', 'copy', '-f', 'flv', '/dev/null');
  await waitFor(() => weir.plane.relays()[0]?.viewers.http === 3, { what: 'both to watch', deadline: 60_000 });
  const before = viewer.media.length;
  await waitFor(() => viewer.media.length > before + 200, { what: 'some seconds of the first origin' });
  await nms.kill();
  await waitFor(() => weir.plane.relays()[0]?.endpoint?.includes(other.address), { what: 'the failover' });
  for (const { code, complaints } of await Promise.all([decoded, copied])) {
    assert.equal(code, 0, complaints);
    assert.doesNotMatch(complaints, /monoton|dts|invalid|error|corrupt|missing/i);
  }
  assert.deepEqual(viewer.stepsBack(), []);
  assert.equal(viewer.ended, false);
});
