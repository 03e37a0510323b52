// Holds the import arrows of the design: which folder knows which, no more and no fewer, and no file itself by way of others.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../src/package.js';
import { circlesIn } from './support/circles.js';

/** Files at the top that everything may use. */
const shared = [
  'model',
  'endpoint-json',
  'errors',
  'config-schema',
  'config',
  'metrics',
  'log',
  'net-address',
  'package',
  'tallies',
  'traffic-metrics',
  'turns',
  'lines',
  'traits',
  'value-faults',
  'tree-pattern',
  'byte-range',
  'mix',
];

/**
 * What each part imports besides itself and `shared`, as docs/architecture.md draws it. A part is a folder of src/ or a file at
 * its top.
 */
const map = readFileSync(join(packageRoot, 'docs/architecture.md'), 'utf8');
const arrows = Object.fromEntries(
  [...map.matchAll(/^\| `([\w-]+)` +\|[^|\n]+\|([^|\n]*)\|$/gm)].map(([, part = '', known = '']) => {
    return [part, [...known.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name)];
  }),
);

const src = join(packageRoot, 'src');
const files = (readdirSync(src, { recursive: true }) as string[]).filter((name) => name.endsWith('.ts'));
const partOf = (file: string) => file.replace(/\.[tj]s$/, '').split('/')[0] ?? '';

function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '');
}

/** The files of src/ that each imports. */
const imported = new Map(
  files.map((file) => [
    file,
    importsOf(file)
      .filter((name) => name.startsWith('.'))
      .map((name) => normalize(join(dirname(file), name)).replace(/\.js$/, '.ts')),
  ]),
);

test('the arrows between parts are those that are drawn, no more and no fewer', () => {
  const found = new Set<string>();
  for (const [file, targets] of imported) {
    const from = partOf(file);
    if (shared.includes(from)) continue;
    for (const to of targets.map(partOf)) if (to !== from && !shared.includes(to)) found.add(`${from} -> ${to}`);
  }
  const drawn = Object.entries(arrows).flatMap(([from, to]) => to.map((part) => `${from} -> ${part}`));
  assert.deepEqual([...found].sort(), drawn.sort());
});

test('every part is drawn', () => {
  const parts = new Set(files.map(partOf).filter((part) => !shared.includes(part)));
  assert.deepEqual([...parts].sort(), Object.keys(arrows).sort());
});

test('what everything may use knows no part of the system', () => {
  const wrong = [...imported]
    .filter(([file]) => shared.includes(partOf(file)))
    .flatMap(([file, targets]) => targets.map((target) => ({ file, target })))
    .filter(({ target }) => !shared.includes(partOf(target)));
  assert.deepEqual(wrong, []);
});

test('no file knows itself by way of others', () => {
  const example = { a: ['b', 'c'], b: ['c'], c: ['d'], d: ['b'], e: ['e'] };
  assert.deepEqual(circlesIn(new Map(Object.entries(example))), [['b', 'c', 'd'], ['e']]);
  assert.deepEqual(circlesIn(imported), []);
});

test('only one file loads the native ZooKeeper client', () => {
  const importers = files.filter((file) => importsOf(file).includes('zookeeper'));
  assert.deepEqual(importers, ['registry/zookeeper-client.ts']);
});
