// Holds docs/architecture.md to the code: what it names is there, and what is there is on it. Also holds the code to its rules: short
// files, and a docblock for each exported function and class.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../src/package.js';

const map = readFileSync(join(packageRoot, 'docs/architecture.md'), 'utf8');
const paths = [...map.matchAll(/`((?:src|test|docs|config)\/[\w./-]*)`/g)].map((match) => match[1] ?? '');

test('every path on the map exists', () => {
  assert.ok(paths.length >= 40);
  assert.deepEqual(
    paths.filter((path) => !existsSync(join(packageRoot, path))),
    [],
  );
});

test('every folder of src/ is on the map', () => {
  const folders = readdirSync(join(packageRoot, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${join(entry.parentPath, entry.name).slice(packageRoot.length)}`);
  const parts = [...map.matchAll(/^\| `([\w-]+)` +\|/gm)].map((match) => `src/${match[1]}`);
  const drawn = new Set([...parts, ...paths.map((path) => path.replace(/\/$/, ''))]);
  assert.deepEqual(
    folders.filter((folder) => !drawn.has(folder)),
    [],
  );
});

test('each walk takes at most ten steps, and each change at most three files', () => {
  const walks = map.slice(map.indexOf('## Three walks'), map.indexOf('## Decisions')).split(/^\*\*/m).slice(1);
  assert.equal(walks.length, 3);
  for (const walk of walks) assert.ok((walk.match(/^\d+\. /gm)?.length ?? 0) <= 10, walk.slice(0, 40));
  const changes = map.slice(map.indexOf('## Changes, and what they touch')).match(/^\| [a-z].*$/gm) ?? [];
  assert.ok(changes.length >= 10);
  for (const change of changes) assert.ok((change.match(/`src\//g)?.length ?? 0) <= 3, change);
});

test('the walk of a stale playlist enters no folder twice', () => {
  const walk = map.slice(map.indexOf('**A stale playlist**'), map.indexOf('**A viewer of FLV**'));
  const rooms = [...walk.matchAll(/`(src\/[\w./-]*)\/[\w.-]+`/g)].map(([, room]) => room);
  const entered = rooms.filter((room, at) => room !== rooms[at - 1]);
  assert.ok(entered.length >= 6);
  assert.deepEqual(entered, [...new Set(entered)]);
});

test('no file of src/ is longer than 300 lines, and half of them are shorter than 90', () => {
  const lengths = (readdirSync(join(packageRoot, 'src'), { recursive: true }) as string[])
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ name, lines: readFileSync(join(packageRoot, 'src', name), 'utf8').split('\n').length - 1 }))
    .sort((a, b) => a.lines - b.lines);
  assert.deepEqual(
    lengths.filter(({ lines }) => lines > 300),
    [],
  );
  assert.ok((lengths[Math.floor(lengths.length / 2)]?.lines ?? 0) < 90);
});

/** An exported function or class whose line before is not the end of a comment. */
function undocumented(text: string): string[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const name = /^export (?:async |abstract )?(?:function\*? |class )(\w+)/.exec(line)?.[1];
    return name === undefined || lines[index - 1]?.endsWith('*/') ? [] : [name];
  });
}

test('an exported function or class without a docblock is found', () => {
  assert.deepEqual(undocumented('export class A {}\n\nexport async function b() {}\n'), ['A', 'b']);
  assert.deepEqual(
    undocumented('/** What it is. */\nexport class A {}\n/**\n * More.\n */\nexport function* b() {}\n'),
    [],
  );
});

test('every exported function and class has a docblock', () => {
  const source = join(packageRoot, 'src');
  const files = (readdirSync(source, { recursive: true }) as string[]).filter((name) => name.endsWith('.ts'));
  assert.ok(files.length > 300);
  assert.deepEqual(
    files.flatMap((file) => undocumented(readFileSync(join(source, file), 'utf8')).map((name) => `${file}: ${name}`)),
    [],
  );
});
