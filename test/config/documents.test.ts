// What stands in the repository is what the schema says today.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { exampleDocument, referenceDocument, schemaDocument } from '../../src/config/documents.js';
import { settings } from '../../src/config/settings.js';
import { loadConfig } from '../../src/config.js';
import { packageRoot } from '../../src/package.js';

const documents: [path: string, generated: string][] = [
  ['config/weir.schema.json', schemaDocument],
  ['config/weir.yaml', exampleDocument],
  ['docs/configuration.md', referenceDocument],
];
for (const [path, generated] of documents) {
  test(`${path} is up to date with the schema (npm run docs writes it)`, () => {
    assert.equal(readFileSync(packageRoot + path, 'utf8'), generated);
  });
}

test('the reference names what takes a new start', () => {
  assert.match(referenceDocument, /^These always do: `admin`, `registry`, `fleet`, `log\.format`\.$/m);
});

test('config/weir.yaml sets every setting to its default', () => {
  assert.deepEqual(loadConfig({ file: `${packageRoot}config/weir.yaml` }), loadConfig({}));
});

test('config/weir.yaml is valid with every example in it', () => {
  const uncommented = exampleDocument.replaceAll(/^( *)# (\w+: \S)/gm, (line, indentation, rest: string) =>
    [...settings.values()].some(
      (setting) => setting.default === undefined && rest.startsWith(`${setting.path.at(-1)}:`),
    )
      ? `${indentation}${rest}`
      : line,
  );
  const mapping = parse(uncommented);
  const missing = [...settings.values()].filter((setting) => {
    const value = setting.path.reduce<unknown>(
      (outer, name) => (typeof outer === 'object' && outer !== null ? Reflect.get(outer, name) : undefined),
      mapping,
    );
    return value === undefined;
  });
  assert.deepEqual(
    missing.map((setting) => setting.key),
    [],
  );
});
