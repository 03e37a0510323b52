import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

/** Holds 100 MiB, and has V8 say how far it will let them grow. */
const program = `
  import { limitHeapGrowth } from ${JSON.stringify(new URL('../../src/cluster/heap-growth.js', import.meta.url).href)};
  limitHeapGrowth();
  globalThis.held = Array.from({ length: 100 * 1024 }, () => new Array(120).fill(1.5));
  gc();
`;

test('the heap of a worker grows to twice what it holds, and not to four times, before garbage is collected', () => {
  const flags = ['--expose-gc', '--trace-gc-verbose', '--input-type=module', '--eval', program];
  const { status, stdout } = spawnSync(process.execPath, flags, { encoding: 'utf8' });
  assert.equal(status, 0);
  const limits = [...stdout.matchAll(/old size: (\d+) KB, new limit: (\d+) KB/g)];
  const [, held = '', limit = ''] = limits.at(-1) ?? [];
  assert.ok(Number(held) > 100_000, stdout);
  // There is room for what is young besides.
  assert.ok(Number(limit) < 3 * Number(held), `${limit} KB for ${held} KB`);
});
