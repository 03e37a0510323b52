// Runs the tests: `run.js unit | slow | integration | all [part-of-a-file-name …]`. Unit tests are quick. Slow ones play
// through the listeners over sockets and wait out their deadlines, measure memory or time, start processes, or run a benchmark's
// simulation. Both need nothing. Integration tests run against real servers, which `provision` finds or installs first, so that
// none is skipped for want of one.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { packageRoot } from '../src/package.js';
import { runInBatches } from './support/batches.js';
import { provision } from './support/provision.js';

const [suite = 'all', ...wanted] = process.argv.slice(2);

type Kind = 'unit' | 'slow' | 'integration';

const root = join(packageRoot, 'dist/test');

/** What other tests leave in the memory of a process is not to be measured, nor collected. */
const measuresMemory = (file: string) => readFileSync(file, 'utf8').includes('/support/garbage.js');
/** A process takes as long to start as a hundred tests. */
const startsProcesses = (file: string) =>
  /'(node:child_process|[./]*\/support\/batches\.js)'/.test(readFileSync(file, 'utf8'));

/** The folder of a test says of which kind it is, and what it measures. */
function kindOf(name: string): Kind {
  if (name.startsWith('integration/')) return 'integration';
  const file = join(root, name);
  const isSlow = /^(http|bench)\//.test(name) || /-(cost|simulation)\.test\.js$/.test(name);
  return isSlow || measuresMemory(file) || startsProcesses(file) ? 'slow' : 'unit';
}

function testFiles(...kinds: readonly Kind[]): string[] {
  return (
    (readdirSync(root, { recursive: true }) as string[])
      .filter((name) => name.endsWith('.test.js') && kinds.includes(kindOf(name)))
      // What is left of a test that was moved or deleted is no test.
      .filter((name) => existsSync(join(packageRoot, 'test', name.replace(/\.js$/, '.ts'))))
      .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
      .sort()
      .map((name) => join(root, name))
  );
}

/** ms that a file may take. */
const timeout = 600_000;

// A rejection that nobody handles fails a file. The processes that a test starts go on after one, and end here.
const env = { ...process.env, NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --unhandled-rejections=strict` };
// Properties are tried on more inputs when there is time for the integration tests.
if (suite === 'all') Object.assign(env, { WEIR_TEST_THOROUGH: '1' });

/** The largest first: what is left for the end is short, and no process waits long for another. */
async function runInProcess(...kinds: readonly Kind[]): Promise<boolean> {
  const sized = testFiles(...kinds).map((file) => ({ file, size: statSync(file).size }));
  const files = sized.sort((a, b) => b.size - a.size).map(({ file }) => file);
  if (files.length === 0) return nothingFound(kinds.join(' and '));
  // They wait for sockets for a part of their time; each process imports everything once more.
  return runInBatches(files, {
    processes: 1 + availableParallelism(),
    timeout,
    flags: ['--enable-source-maps'],
    env,
    measuresMemory,
    print: (text) => process.stdout.write(text),
  });
}

/** Of these none measures a delay, and none takes more than a core. */
const sideBySide =
  /^(agent|alerts|command-line|commands|demo-media|docs|drain|fleet(-[a-z]+)?|health-check|kept-leases|no-registry|package|registrar|registry-[a-z]+|zookeeper-refusals|zookeeper-(refusals|tls|writes))\./;

/** Most integration tests measure delays in the tens of milliseconds: they get the machine to themselves, one file at a time. */
function runIntegrationTests(): boolean {
  const files = testFiles('integration');
  if (files.length === 0) return nothingFound('integration');
  const paired = files.filter((file) => sideBySide.test(basename(file)));
  const alone = files.filter((file) => !paired.includes(file));
  return [runWithNode(alone, 1), runWithNode(paired, 2)].every((passed) => passed);
}

function runWithNode(files: readonly string[], concurrency: number): boolean {
  if (files.length === 0) return true;
  const flags = ['--enable-source-maps', '--test', `--test-concurrency=${concurrency}`, `--test-timeout=${timeout}`];
  return spawnSync(process.execPath, [...flags, ...files], { stdio: 'inherit', cwd: packageRoot, env }).status === 0;
}

function nothingFound(kind: string): boolean {
  if (wanted.length > 0) return true;
  console.error(`no ${kind} tests found: the build is incomplete`);
  return false;
}

function lint(): boolean {
  const biome = join(packageRoot, 'node_modules/.bin/biome');
  return spawnSync(biome, ['check', '.'], { stdio: 'inherit', cwd: packageRoot }).status === 0;
}

const steps: Record<string, (() => boolean | Promise<boolean>)[]> = {
  unit: [() => runInProcess('unit')],
  slow: [() => runInProcess('slow')],
  integration: [provision, runIntegrationTests],
  all: [lint, () => runInProcess('unit', 'slow'), provision, runIntegrationTests],
};
const chosen = steps[suite];
if (chosen === undefined) {
  console.error('usage: run.js unit | slow | integration | all [part-of-a-file-name …]');
  process.exit(2);
}
let passed = true;
for (const step of chosen) passed &&= await step();
process.exit(passed ? 0 : 1);
