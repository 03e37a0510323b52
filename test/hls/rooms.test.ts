// Holds the rooms of HLS: which room knows which, and the one door to the rest of the program.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/package.js';

const src = join(packageRoot, 'src');
const files = (readdirSync(src, { recursive: true }) as string[]).filter((name) => name.endsWith('.ts'));
const door = 'hls/index.ts';
const isInside = (file: string) => file.startsWith('hls/');
const roomOf = (file: string) => dirname(file).replace('hls/', '');

/** The files of this program that a file imports. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)\.js'/g)].map(
    ([, target = '']) => `${normalize(join(dirname(file), target))}.ts`,
  );
}

/** Which room knows which: no more and no fewer. */
const drawn = [
  'plan -> playlist',
  'plan -> presentation',
  'presentation -> playlist',
  'presentation -> url',
  'session -> cache',
  'session -> plan',
  'session -> playlist',
  'session -> presentation',
  'session -> url',
];

test('the rooms know each other as drawn', () => {
  const found = files
    .filter((file) => isInside(file) && file !== door)
    .flatMap((file) =>
      importsOf(file)
        .filter(isInside)
        .map((target) => [roomOf(file), roomOf(target)] as const),
    )
    .filter(([from, to]) => from !== to)
    .map(([from, to]) => `${from} -> ${to}`);
  assert.deepEqual([...new Set(found)].sort(), drawn);
});

test('the rest of the program knows the door of HLS, and nothing behind it', () => {
  const wrong = files
    .filter((file) => !isInside(file))
    .flatMap((file) => importsOf(file).map((target) => ({ file, target })))
    .filter(({ target }) => isInside(target) && target !== door);
  assert.deepEqual(wrong, []);
});

test('nothing behind the door of HLS goes out by it', () => {
  const wrong = files.filter((file) => isInside(file) && importsOf(file).includes(door));
  assert.deepEqual(wrong, []);
});
