import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { loggerOptions, seldom } from '../src/log.js';

function logged(write: (logger: ReturnType<typeof pino>) => void) {
  const lines: string[] = [];
  write(pino(loggerOptions, { write: (line: string) => void lines.push(line) }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a line has the name of its level and a time that people read', () => {
  const [line] = logged((logger) => logger.child({ worker: 1 }).warn({ channel: 'news' }, 'told'));
  const { time, ...rest } = line ?? {};
  assert.deepEqual(rest, { level: 'warn', worker: 1, channel: 'news', msg: 'told' });
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test('no token of a query gets into the log: not in an address, not in an error, not in what an error carries', () => {
  let unparsable: unknown;
  try {
    new URL('http://[/live?token=secret');
  } catch (error) {
    unparsable = error;
  }
  const cause = new Error('GET /live/news.m3u8?token=secret failed', { cause: unparsable });
  const lines = logged((logger) => {
    logger.error({ err: cause }, 'inside');
    logger.warn({ endpoint: 'http://o/{channel}{rest}?key=secret', detail: 'asked "/x?token=secret" twice' }, 'failed');
  });
  const text = JSON.stringify(lines);
  assert.ok(!text.includes('secret'), text);
  assert.ok(text.includes('ERR_INVALID_URL'));
  assert.equal(lines[1]?.['endpoint'], 'http://o/{channel}{rest}?…');
  assert.equal(lines[1]?.['detail'], 'asked "/x?…" twice'.replaceAll('\\', ''));
});

test('an error that causes itself is written with an end', () => {
  const error = new Error('again');
  error.cause = error;
  assert.equal(logged((logger) => logger.error({ err: error }, 'inside')).length, 1);
});

test('what may happen a thousand times a second is said once, with how often it went unsaid', () => {
  let now = 0;
  const said: { n: number; unsaid: number }[] = [];
  const say = seldom<{ n: number }>(
    (fields) => said.push(fields),
    1_000,
    () => now,
  );
  for (let n = 0; n < 100; n += 1) say({ n });
  now = 999;
  say({ n: 100 });
  now = 1_000;
  say({ n: 101 });
  now = 5_000;
  say({ n: 102 });
  assert.deepEqual(said, [
    { n: 0, unsaid: 0 },
    { n: 101, unsaid: 100 },
    { n: 102, unsaid: 0 },
  ]);
});
