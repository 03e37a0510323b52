// Holds the rooms of HLS: one door to the rest of the program.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/package.js';

const src = join(packageRoot, 'src');
const files = (readdirSync(src, { recursive: true }) as string[]).filter((name) => name.endsWith('.ts'));

/** The files of this program that a file imports. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)\.js'/g)].map(
    ([, target = '']) => `${normalize(join(dirname(file), target))}.ts`,
  );
}

const isInside = (file: string) => file.startsWith('hls/');

test('the rest of the program knows the door of HLS, and nothing behind it', () => {
  const wrong = files
    .filter((file) => !isInside(file))
    .flatMap((file) => importsOf(file).map((target) => ({ file, target })))
    .filter(({ target }) => isInside(target) && target !== 'hls/index.ts');
  assert.deepEqual(wrong, []);
});

test('nothing behind the door of HLS goes out by it', () => {
  const wrong = files.filter((file) => isInside(file) && importsOf(file).includes('hls/index.ts'));
  assert.deepEqual(wrong, []);
});
