import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { linesOf } from '../src/lines.js';

describe('lines', () => {
  async function split(...chunks: (string | Buffer)[]): Promise<(string | undefined)[]> {
    async function* stream() {
      yield* chunks;
    }
    const lines: (string | undefined)[] = [];
    for await (const line of linesOf(stream())) lines.push(line);
    return lines;
  }

  test('may come in any pieces, with either line end, and without one at the end', async () => {
    assert.deepEqual(await split('a\nb', 'c\r\n', '\nd'), ['a', 'bc', '', 'd']);
    const euro = Buffer.from('€\n');
    assert.deepEqual(await split(euro.subarray(0, 1), euro.subarray(1)), ['€']);
    assert.deepEqual(await split(), []);
  });

  test('that are too long come as undefined, and the next one is read again', async () => {
    const long = 'x'.repeat(50_000);
    assert.deepEqual(await split(long, long, long, '\nok\n'), [undefined, 'ok']);
    assert.deepEqual(await split(`${long}${long}\nok\n`), [undefined, 'ok']);
    assert.deepEqual(await split(long, long), [undefined]);
  });
});
