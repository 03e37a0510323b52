import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { settings } from '../../src/config/settings.js';
import { loadConfig } from '../../src/config.js';
import { packageRoot } from '../../src/package.js';

test('the settings that benchmarks give weir are such as it takes', () => {
  const folder = join(packageRoot, 'bench');
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith('.ts'));
  const sets = files.flatMap((name) =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(/['`]([a-z]\w*(?:\.\w+)*)=([^'`]*)['`]/g)]
      .filter(([, key = '']) => settings.has(key))
      // Numbers are put in when it runs, and the path of a tree.
      .map(
        ([, key, value = '']) =>
          `${key}=${value.replaceAll(/\$\{(\w+)\}/g, (_, name) => (name === 'tree' ? '/1' : '1'))}`,
      ),
  );
  assert.ok(sets.some((set) => set.startsWith('relay.mergeWindow=')));
  for (const set of sets) assert.doesNotThrow(() => loadConfig({ sets: [set] }), set);
});
