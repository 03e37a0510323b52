// In a replacement string `$&`, `$'` and their kind are patterns: text from outside must not get there. So the replacement is a
// literal or a function, everywhere.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../src/package.js';
import { type Token, tokensOf } from './support/source-tokens.js';

/** The arguments of the call whose opening bracket is at `open`. */
function argumentsOf(tokens: readonly Token[], open: number): Token[][] {
  const given: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens.slice(open)) {
    const { kind, text } = token;
    const closes = kind === 'punctuation' && [')', ']', '}'].includes(text);
    if (closes) depth -= 1;
    if (depth === 0 && closes) break;
    if (depth === 1 && text === ',' && kind === 'punctuation') given.push([]);
    else if (depth > 0) given.at(-1)?.push(token);
    if (kind === 'punctuation' && ['(', '[', '{'].includes(text)) depth += 1;
  }
  return given.filter((one) => one.length > 0);
}

function isHarmless([first, ...rest]: readonly Token[]): boolean {
  if (first === undefined) return true;
  if (rest.length === 0) return first.kind === 'string' || (first.kind === 'template' && !first.text.endsWith('${'));
  const isFunction = first.text === 'function' || first.text === 'async';
  return isFunction || [first, ...rest].some(({ kind, text }) => kind === 'punctuation' && text === '=>');
}

/** What has a method of this name and is no text. */
const notText = new Set(['supervisor', 'slots', '#slots']);

/** Lines of the source with a replacement that may be anything. */
function doubtful(source: string): number[] {
  const tokens = tokensOf(source);
  return tokens.flatMap(({ kind, text, line }, at) => {
    if (kind !== 'word' || !['replace', 'replaceAll'].includes(text)) return [];
    if (!['.', '?.'].includes(tokens[at - 1]?.text ?? '') || tokens[at + 1]?.text !== '(') return [];
    if (notText.has(tokens[at - 2]?.text ?? '')) return [];
    const [, replacement] = argumentsOf(tokens, at + 1);
    return replacement === undefined || isHarmless(replacement) ? [] : [line];
  });
}

test('the check knows a replacement that may be anything from one that is written out', () => {
  const fine = [
    `a.replace(/x,(/, 'y')`,
    'a.replaceAll("x", `y`)',
    `a.replace(/\\/[/,)]/g, (all, hex: string) => other.replace(all, 'x'))`,
    `a?.replace(b(c, d), function (x) { return x; })`,
    `store.replace(all)`,
    `replace(a, b, c) // no method`,
    `// a.replace(b, c)`,
  ];
  for (const source of fine) assert.deepEqual(doubtful(source), [], source);
  const wrong = [
    'a.replace(/x/, y)',
    `a.replaceAll("x", \`y\${z}\`)`,
    `a.replace('x', b + 'c')`,
    `a.replace('x', JSON.stringify(b))`,
    `a\n.replace(\n'x', // why\n b)`,
    `\`\${a.replace(/x/, b)}\``,
  ];
  for (const source of wrong) assert.equal(doubtful(source).length, 1, source);
});

test('no text from outside is taken for a pattern of a replacement', () => {
  const src = join(packageRoot, 'src');
  const files = (readdirSync(src, { recursive: true }) as string[]).filter((name) => /\.(ts|js)$/.test(name));
  const found = files.flatMap((name) =>
    doubtful(readFileSync(join(src, name), 'utf8')).map((line) => `src/${name}:${line}`),
  );
  assert.deepEqual(found, []);
});
