import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { machineSecret, pinKeys } from '../../../src/hls/url/pin-keys.js';

test("processes with one machine's secret make the same pins, and the operator's secret is stronger", () => {
  assert.deepEqual(pinKeys(undefined, 'machine'), pinKeys(undefined, 'machine'));
  assert.notDeepEqual(pinKeys(undefined, 'machine').signing, pinKeys(undefined, 'another').signing);
  assert.equal(pinKeys(undefined, 'machine').naming, pinKeys(undefined, 'another').naming);
  assert.deepEqual(pinKeys('secret', 'machine'), pinKeys('secret', 'another'));
});

test('a machine without an id makes a secret up, and says so where it matters', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-machine-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const told: string[] = [];
  const logger = { warn: (text: unknown) => void told.push(String(text)) };
  const session = { mode: 'session', pinSecret: undefined } as const;
  const file = join(folder, 'machine-id');
  const id = '0123456789abcdef0123456789abcdef';
  writeFileSync(file, `${id}\n`);
  assert.equal(machineSecret(session, logger, file), id);
  assert.deepEqual(told, []);
  writeFileSync(file, 'uninitialized\n');
  const made = machineSecret(session, logger, file);
  assert.match(made, /^[0-9a-f]{64}$/);
  assert.notEqual(machineSecret(session, logger, join(folder, 'none')), made);
  assert.equal(told.length, 2);
  assert.match(told[0] ?? '', /set hls\.pinSecret/);
  machineSecret({ mode: 'session', pinSecret: 'secret' }, logger, file);
  machineSecret({ mode: 'passthrough', pinSecret: undefined }, logger, file);
  assert.equal(told.length, 2);
});
