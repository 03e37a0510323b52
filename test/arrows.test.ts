// Holds the import arrows of the design: which folder may know which.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../src/package.js';

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
  'turns',
];

/** What each part may import besides itself and `shared`. A part is a folder of src/ or a file at its top. */
const allowed: Record<string, readonly string[]> = {
  main: ['commands'],
  commands: ['cluster', 'admin', 'registry', 'registrar', 'demo'],
  cluster: ['control-plane', 'data-plane', 'admin', 'registry', 'snapshot'],
  'control-plane': ['admin', 'registry', 'snapshot'],
  'data-plane': ['http', 'relay', 'hls', 'peers', 'balancer', 'upstream', 'snapshot'],
  peers: ['balancer', 'snapshot'],
  http: ['relay', 'hls', 'balancer', 'upstream', 'snapshot'],
  relay: ['balancer', 'upstream', 'snapshot'],
  hls: ['balancer', 'upstream', 'snapshot'],
  balancer: ['snapshot'],
  upstream: ['snapshot'],
  admin: ['registry', 'snapshot'],
  registrar: ['registry'],
  demo: ['control-plane', 'data-plane', 'cluster', 'registry', 'registrar', 'admin', 'relay'],
  registry: [],
  snapshot: ['registry'],
};

const src = join(packageRoot, 'src');
const files = (readdirSync(src, { recursive: true }) as string[]).filter((name) => name.endsWith('.ts'));
const partOf = (file: string) => file.replace(/\.[tj]s$/, '').split('/')[0] ?? '';

function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '');
}

test('imports point down only', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const from = partOf(file);
    for (const target of importsOf(file).filter((name) => name.startsWith('.'))) {
      const to = partOf(normalize(join(dirname(file), target)));
      const fine = to === from || shared.includes(to);
      if (!fine && !(allowed[from] ?? []).includes(to)) wrong.push(`${file} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('what everything may use knows no part of the system', () => {
  const wrong = files
    .filter((file) => shared.includes(partOf(file)))
    .flatMap((file) => importsOf(file).map((target) => ({ file, target })))
    .filter(({ target }) => target.startsWith('.'))
    .filter(({ file, target }) => !shared.includes(partOf(normalize(join(dirname(file), target)))));
  assert.deepEqual(wrong, []);
});

test('only one file loads the native ZooKeeper client', () => {
  const importers = files.filter((file) => importsOf(file).includes('zookeeper'));
  assert.ok(
    importers.every((file) => file === 'registry/zookeeper-client.ts'),
    importers.join(', '),
  );
});

test('every part is listed with its arrows', () => {
  const parts = new Set(files.map(partOf));
  assert.deepEqual(
    [...parts].filter((part) => allowed[part] === undefined && !shared.includes(part)),
    [],
  );
});
