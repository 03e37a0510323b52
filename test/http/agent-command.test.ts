// Streams that a program prints: real programs, well and ill behaved.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CommandSource, readLine } from '../../src/agent/command-source.js';
import type { Reading } from '../../src/agent/stream.js';
import { silentLogger } from '../../src/log.js';
import { waitFor } from '../support/wait.js';

function start(t: TestContext, script: string) {
  const readings: Reading[] = [];
  const stop = new AbortController();
  const source = new CommandSource(process.execPath, ['-e', script], silentLogger);
  const listener = { answered: (reading: Reading) => void readings.push(reading), gone() {} };
  const running = source.run(listener, stop.signal);
  const end = async () => {
    stop.abort();
    await running;
  };
  t.after(end);
  return { readings, end };
}

test('a line is all streams that there are, with what was measured', () => {
  const stream = { app: 'live', stream: 'news', viewers: 3, bitrate: 1200, packet_loss_rate: 0.01 };
  assert.deepEqual(readLine(JSON.stringify({ streams: [stream], cpu: 0.4 })), {
    streams: [{ vhost: '', app: 'live', name: 'news', viewers: 3, bitrate: 1200, packetLoss: 0.01 }],
    cpu: 0.4,
  });
  for (const line of ['', 'x', '[]', '{}', '{"streams":{}}'])
    assert.throws(() => readLine(line), { name: 'BadAnswer' });
  assert.deepEqual(readLine('{"streams":[{}, 1, {"stream":""}],"cpu":7}'), { streams: [], cpu: undefined });
});

test('lines are read while the program runs, and what is none of them is passed over', async (t) => {
  const { readings } = start(
    t,
    `console.log('{"streams":[{"stream":"a"}]}'); console.log('nonsense'); console.log('x'.repeat(2e6));
     console.log('{"streams":[{"stream":"b"}]}'); setInterval(() => {}, 1000)`,
  );
  await waitFor(() => readings.length === 2);
  assert.deepEqual(
    readings.map(({ streams }) => streams[0]?.name),
    ['a', 'b'],
  );
});

test('a program that ends is started again, also when a child of it keeps its output open', async (t) => {
  const { readings } = start(
    t,
    `require('child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 4000)'], { stdio: ['ignore', 'inherit', 'ignore'] }).unref();
     console.log(JSON.stringify({ streams: [{ stream: 's' }] })); setTimeout(() => process.exit(1), 50)`,
  );
  await waitFor(() => readings.length >= 2);
});

test('a program that ignores SIGTERM is killed', async (t) => {
  const { readings, end } = start(
    t,
    `process.on('SIGTERM', () => {}); console.log(JSON.stringify({ streams: [{ stream: String(process.pid) }] }));
     setInterval(() => {}, 1000)`,
  );
  await waitFor(() => readings.length === 1);
  const pid = Number(readings[0]?.streams[0]?.name);
  await end();
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test('a program that cannot be started ends nothing', async (t) => {
  const source = new CommandSource('/nowhere/program', [], silentLogger);
  const stop = new AbortController();
  const running = source.run({ answered() {}, gone() {} }, stop.signal);
  t.after(() => stop.abort());
  setImmediate(() => stop.abort());
  await running;
});
