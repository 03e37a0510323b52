// Runs the tests: `run.js unit | integration | all [part-of-a-file-name …]`. Unit tests need nothing; integration tests
// run against real servers, which `provision` finds or installs first, so that none is skipped for want of one.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/package.js';
import { provision } from './support/provision.js';

const [suite = 'all', ...wanted] = process.argv.slice(2);

function testFiles(kind: 'unit' | 'integration'): string[] {
  const root = join(packageRoot, 'dist/test');
  return (readdirSync(root, { recursive: true }) as string[])
    .filter((name) => name.endsWith('.test.js') && name.startsWith('integration/') === (kind === 'integration'))
    .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
    .sort()
    .map((name) => join(root, name));
}

/**
 * Integration tests measure delays in the tens of milliseconds: they get the machine to themselves, one file at a time.
 * Unit tests wait for sockets about half of their time.
 */
function runTests(kind: 'unit' | 'integration'): boolean {
  const files = testFiles(kind);
  if (files.length === 0) {
    if (wanted.length > 0) return true;
    console.error(`no ${kind} tests found: the build is incomplete`);
    return false;
  }
  const concurrency = kind === 'unit' ? 2 * availableParallelism() : 1;
  const flags = ['--enable-source-maps', '--test', `--test-concurrency=${concurrency}`, '--test-timeout=600000'];
  // node:test fails a file for a rejection that nobody handles. The processes that a test starts go on after one, and end here.
  const env = { ...process.env, NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --unhandled-rejections=strict` };
  // Properties are tried on more inputs when there is time for the integration tests.
  if (suite === 'all') Object.assign(env, { WEIR_TEST_THOROUGH: '1' });
  const result = spawnSync(process.execPath, [...flags, ...files], { stdio: 'inherit', cwd: packageRoot, env });
  return result.status === 0;
}

function lint(): boolean {
  const biome = join(packageRoot, 'node_modules/.bin/biome');
  return spawnSync(biome, ['check', '.'], { stdio: 'inherit', cwd: packageRoot }).status === 0;
}

const steps: Record<string, (() => boolean)[]> = {
  unit: [() => runTests('unit')],
  integration: [provision, () => runTests('integration')],
  all: [lint, () => runTests('unit'), provision, () => runTests('integration')],
};
const chosen = steps[suite];
if (chosen === undefined) {
  console.error('usage: run.js unit | integration | all [part-of-a-file-name …]');
  process.exit(2);
}
process.exit(chosen.every((step) => step()) ? 0 : 1);
