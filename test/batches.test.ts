import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runInBatches } from './support/batches.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-batches-'));
after(() => rmSync(folder, { recursive: true }));

async function run(files: Record<string, string>, flags: string[] = []): Promise<{ passed: boolean; output: string }> {
  let output = '';
  for (const [name, body] of Object.entries(files)) {
    writeFileSync(join(folder, name), `import { beforeEach, test } from 'node:test';\n${body}\n`);
  }
  const passed = await runInBatches(
    Object.keys(files).map((name) => join(folder, name)),
    {
      processes: 1,
      timeout: 60_000,
      flags,
      env: process.env,
      measuresMemory: (file) => file.includes('memory'),
      print: (text) => {
        output += text;
      },
    },
  );
  return { passed, output };
}

test('files that pass are added up; the hooks of one are not for the next', async () => {
  const { passed, output } = await run({
    'hook.mjs': "beforeEach(() => { globalThis.hooked = (globalThis.hooked ?? 0) + 1; }); test('one', () => {});",
    'next.mjs': "test('two', () => { if (globalThis.hooked !== 1) throw new Error(); }); test('three', () => {});",
  });
  assert.ok(passed, output);
  assert.match(output, /^# tests 3\n/m);
  assert.match(output, /^# pass 3\n/m);
});

test('files that measure memory run before all others, in one process', async () => {
  const count = 'globalThis.count = (globalThis.count ?? 0) + 1;';
  const expect = (number: number) =>
    `test('one', () => { ${count} if (globalThis.count !== ${number}) throw new Error(); });`;
  const { passed, output } = await run({
    'another.mjs': expect(3),
    'memory-a.mjs': expect(1),
    'memory-b.mjs': expect(2),
  });
  assert.ok(passed, output);
  assert.match(output, /^# pass 3\n/m);
});

test('the run fails, and ends, where no process starts', async () => {
  const { passed } = await run({ 'good.mjs': "test('good', () => {});" }, ['--no-such-flag']);
  assert.equal(passed, false);
});

const failures: [name: string, body: string, says: RegExp][] = [
  ['a test fails', "test('bad', () => { throw new Error(); });", /not ok 1 - bad\n/],
  ['a file does not load', "import './nothing.mjs';", /not ok 1 - the file loads\n/],
  ['a test ends the process', "test('bad', () => process.exit(0));", /not ok - the process of .*bad\.mjs ended: 0\n/],
  [
    'a rejection is not handled',
    "test('bad', () => void Promise.reject(new Error('lost')));",
    /not ok - the process of the above ended: 1\n/,
  ],
];
for (const [name, body, says] of failures) {
  test(`the run fails where ${name}`, async () => {
    const { passed, output } = await run({ 'bad.mjs': body, 'good.mjs': "test('good', () => {});" });
    assert.equal(passed, false);
    assert.match(output, says);
    assert.match(output, /ok \d+ - good\n/, 'the others run all the same');
  });
}
