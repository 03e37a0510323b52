// Holds the rooms of the relay: which may know which, and by which door the rest of weir comes in.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/package.js';

const src = join(packageRoot, 'src');
const imports = (readdirSync(src, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.ts'))
  .flatMap((file) =>
    [...readFileSync(join(src, file), 'utf8').matchAll(/from '(\.[^']+)'/g)].map(([, target = '']) => ({
      file,
      target: normalize(join(dirname(file), target)).replace(/\.js$/, '.ts'),
    })),
  );
const roomOf = (file: string) => dirname(file);

test('FLV knows nobody, the source and the audience know FLV, and the relay joins them', () => {
  const arrows = imports
    .filter(({ file, target }) => roomOf(file).startsWith('relay') && roomOf(file) !== roomOf(target))
    .filter(({ file, target }) => roomOf(target).startsWith('relay') || roomOf(file) === 'relay/flv')
    .map(({ file, target }) => `${roomOf(file)} -> ${roomOf(target)}`);
  assert.deepEqual([...new Set(arrows)].sort(), [
    'relay -> relay/audience',
    'relay -> relay/flv',
    'relay -> relay/source',
    'relay/audience -> relay/flv',
    'relay/source -> relay/flv',
  ]);
});

test('the rest of weir comes in by the door', () => {
  const wrong = imports.filter(
    ({ file, target }) => !file.startsWith('relay/') && target.startsWith('relay/') && target !== 'relay/index.ts',
  );
  assert.deepEqual(wrong, []);
});
