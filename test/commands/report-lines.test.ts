import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applyReport } from '../../src/commands/report-lines.js';

const before = { load: 0.2, bitrate: 1200, packetLoss: 0.01 };

describe('a report', () => {
  const good: [line: string, after: Record<string, unknown>][] = [
    ['{"load":0.5}', { ...before, load: 0.5 }],
    ['{}', before],
    ['{"load":null}', { ...before, load: undefined }],
    ['{"load":0,"bitrate":0,"packet_loss_rate":1}', { load: 0, bitrate: 0, packetLoss: 1 }],
    [' {"bitrate":800.5} ', { ...before, bitrate: 800.5 }],
  ];
  for (const [line, after] of good) {
    test(`${line} changes only what it names`, () => assert.deepEqual(applyReport(line, before), after));
  }

  const bad: [line: string, error: RegExp][] = [
    ['load=0.5', /^not JSON; expected a line such as \{"load":0\.5\}$/],
    ['', /^not JSON/],
    ['0.5', /^expected an object/],
    ['null', /^expected an object/],
    ['[]', /^expected an object/],
    ['{"load":75}', /^load: expected a number from 0 to 1, or null for unknown$/],
    ['{"load":"0.5"}', /^load: expected a number/],
    ['{"load":-1,"bitrate":-1}', /^load: .*; bitrate: expected a number of kbit\/s/],
    ['{"load":1e999}', /^load: /],
    ['{"lod":0.5}', /^unknown lod; expected load, bitrate, packet_loss_rate, status$/],
    ['{"__proto__":{"load":1}}', /^unknown __proto__/],
  ];
  for (const [line, error] of bad) {
    test(`${line || 'an empty line'} changes nothing and says what is wrong`, () => {
      const result = applyReport(line, before);
      assert.ok('error' in result);
      assert.match(result.error, error);
    });
  }
});

test('a status is reported like a value, and stays until another one is', () => {
  const draining = applyReport('{"status":"draining"}', before);
  assert.deepEqual(draining, { ...before, status: 'draining' });
  assert.ok(!('error' in draining));
  assert.deepEqual(applyReport('{"load":0.5}', draining), { ...before, load: 0.5, status: 'draining' });
  assert.deepEqual(applyReport('{"status":null}', draining), { ...before, status: undefined });
  assert.deepEqual(applyReport('{"status":"gone"}', before), { error: 'status: expected one of live, draining, off' });
});
