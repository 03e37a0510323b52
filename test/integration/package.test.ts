// The package as `npm pack` makes it in a fresh clone: whoever installs it has a `weir` that runs.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { packageRoot, version } from '../../src/package.js';

/** What git does not have, and what it has for itself. */
const notCloned = new Set(['node_modules', 'dist', '.git']);

function run(command: string, parameters: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, parameters, { cwd, encoding: 'utf8', timeout: 120_000 });
  assert.equal(status, 0, `${command} ${parameters.join(' ')}\n${stdout}\n${stderr}`);
  return stdout;
}

describe('npm pack in a fresh clone', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-package-'));
  after(() => rmSync(directory, { recursive: true }));
  const clone = join(directory, 'clone');
  const installed = join(directory, 'lib/node_modules/weir');
  const weir = join(directory, 'bin/weir');
  const modules = join(packageRoot, 'node_modules');

  before(() => {
    cpSync(packageRoot, clone, {
      recursive: true,
      filter: (source) => !notCloned.has(source.slice(packageRoot.length)),
    });
    symlinkSync(modules, join(clone, 'node_modules'));
    run('npm', ['pack', '--offline', '--pack-destination', directory], clone);
    // What `npm install --global` does, with the modules that are here instead of those of a registry.
    mkdirSync(installed, { recursive: true });
    mkdirSync(join(directory, 'bin'));
    run('tar', ['-xzf', join(directory, `weir-${version}.tgz`), '--strip-components=1'], installed);
    symlinkSync(modules, join(installed, 'node_modules'));
    const { bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { bin: { weir: string } };
    chmodSync(join(installed, bin.weir), 0o755);
    symlinkSync(join(installed, bin.weir), weir);
  });

  test('gives a weir that knows its version and its settings', () => {
    assert.equal(run(weir, ['--version'], directory), `${version}\n`);
    run(weir, ['config', '--config', join(installed, 'config/weir.yaml'), '--check'], directory);
  });

  for (const [what, parameters, ready] of [
    ['an edge with a worker', ['serve', '--registry', 'embedded', '--set', 'workers=1'], /ready: players/],
    ['a simulated origin', ['origin', '--channel', 'news'], /^origin .* ready/],
  ] as const) {
    test(`gives ${what} that starts`, async () => {
      const ports = parameters[0] === 'serve' ? ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'] : [];
      const child: ChildProcess = spawn(weir, [...parameters, ...ports], { stdio: ['ignore', 'pipe', 'inherit'] });
      const exited = once(child, 'exit');
      try {
        assert.ok(child.stdout);
        const lines = createInterface({ input: child.stdout });
        const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(60_000) })) as [string];
        assert.match(line, ready);
      } finally {
        child.kill('SIGTERM');
        await exited;
      }
    });
  }
});
