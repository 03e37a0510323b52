import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExplanationReply } from '../../src/demo/explanation.js';
import { pause, pickedOrigin, statusLine } from '../../src/demo/status.js';

const endpoint = (id: string, address: string, score: number, load?: number, packetLoss?: number, eligible = true) => ({
  id,
  service_address: address,
  load,
  packet_loss_rate: packetLoss,
  terms: { score },
  eligible,
});
const explained: ExplanationReply = {
  picked: 'b',
  endpoints: [
    endpoint('b', '127.0.0.1:2', 0.25, 0.25, 0),
    endpoint('a', '127.0.0.1:1', 0.9, 0.5, 0.04, false),
    endpoint('c', '127.0.0.1:3', 12),
  ],
};
const names = new Map([
  ['127.0.0.1:1', 'origin-1'],
  ['127.0.0.1:2', 'origin-2'],
]);

test('the line says where requests go and how every endpoint is doing, in the order of names', () => {
  assert.equal(
    statusLine('news', explained, names),
    'news goes to origin-2: 127.0.0.1:3 12.00 (load unknown, loss unknown)  ' +
      'origin-1 0.90 (load 50 %, loss 4.0 %, not eligible)  origin-2 0.25 (load 25 %, loss 0.0 %)',
  );
});

test('the line says why, in the words of weir', () => {
  assert.match(
    statusLine('news', { ...explained, why: 'lowest score' }, names),
    /^news goes to origin-2 \(lowest score\): /,
  );
});

test('an origin that is known to be dead is never shown as picked', () => {
  const down = new Set(['127.0.0.1:2']);
  assert.equal(pickedOrigin(explained, names, down), '127.0.0.1:3');
  assert.match(
    statusLine('news', explained, names, down),
    /^news goes to 127\.0\.0\.1:3 \(the pick is down\): .*origin-2 .*, down\)$/,
  );
  assert.equal(pickedOrigin(explained, names, new Set(['127.0.0.1:2', '127.0.0.1:3'])), undefined);
});

test('without a pick requests go to nobody', () => {
  assert.equal(pickedOrigin({ endpoints: explained.endpoints }, names), undefined);
  assert.match(statusLine('news', { endpoints: [] }, names), /^news goes to nobody/);
});

test('a pause ends when the signal aborts', async () => {
  const stop = new AbortController();
  const paused = pause(60_000, stop.signal);
  stop.abort();
  await paused;
  await pause(60_000, stop.signal);
});
