import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChannelName } from '../src/registry/names.js';
import { below, compilePattern, overlap, type TreePattern } from '../src/tree-pattern.js';

function compiled(text: string, channel?: string): TreePattern {
  const pattern = compilePattern(text, channel);
  if (typeof pattern === 'string') assert.fail(`${text}: ${pattern}`);
  return pattern;
}

const shape = ({ base, steps, channelDepth, readsChannel }: TreePattern) =>
  [base, ...steps.map(({ variable, suffix }) => variable + suffix), channelDepth, readsChannel].join(' ');

test('a pattern is a base and one step for each variable, with the fixed names below it', () => {
  const cases: [string, string | undefined, string][] = [
    ['/channels/{channel}/{endpoint}', undefined, '/channels channel endpoint 1 true'],
    ['/go_servers/{endpoint}', 'news', '/go_servers endpoint 0 false'],
    ['/{service}/{channel}/{endpoint}', undefined, '/ any channel endpoint 2 true'],
    ['/{service}/{channel}', undefined, '/ any channel 2 true'],
    ['/dubbo/{channel}/providers/{endpoint}', undefined, '/dubbo channel/providers endpoint 1 false'],
    ['/{channel}/{endpoint}', undefined, '/ channel endpoint 1 true'],
    ['/{channel}', undefined, '/ channel 1 true'],
    ['/{endpoint}', 'news', '/ endpoint 0 false'],
    ['/a/b/{zone}/c/d/{channel}/e', undefined, '/a/b any/c/d channel/e 2 true'],
    ['/{channel}/{zone}/{endpoint}/status', undefined, '/ channel any endpoint/status 2 false'],
    ['/services/{service}/{endpoint}', 'news', '/services any endpoint 1 false'],
  ];
  for (const [text, channel, expected] of cases) assert.equal(shape(compiled(text, channel)), expected, text);
});

test('a pattern that is wrong is refused with the reason', () => {
  const cases: [string, string | undefined, RegExp][] = [
    ['', undefined, /expected a path/],
    ['channels/{channel}', undefined, /expected a path/],
    ['/', undefined, /empty name/],
    ['/channels/{channel}/', undefined, /slash at its end/],
    ['/a//{channel}', undefined, /empty name/],
    ['/a/../{channel}', undefined, /"\.\." cannot be the name/],
    ['/a b/{channel}', undefined, /cannot be the name/],
    ['/a/\0/{channel}', undefined, /cannot be the name/],
    ['/a/x{channel}', undefined, /expected \{name\} alone/],
    ['/a/{}/{channel}', undefined, /expected \{name\} alone/],
    ['/zookeeper/{channel}', undefined, /ZooKeeper's own/],
    ['/channels', undefined, /expected \{channel\}/],
    ['/channels', 'news', /expected \{endpoint\}/],
    ['/a/{endpoint}', undefined, /the name of its channel beside it/],
    ['/a/{channel}/{endpoint}', 'news', /not both/],
    ['/a/{endpoint}', 'a/b', /cannot name a channel/],
    ['/a/{channel}/{channel}', undefined, /once/],
    ['/a/{endpoint}/{channel}', undefined, /behind all other variables/],
    ['/a/{channel}/{zone}', undefined, /as its last variable/],
    [`${'/a'.repeat(16)}/{channel}`, undefined, /at most 16/],
  ];
  for (const [text, channel, reason] of cases) assert.match(String(compilePattern(text, channel)), reason, text);
});

test('two trees overlap when one node could hold an endpoint of both', () => {
  const cases: [string, string, boolean][] = [
    ['/channels/{channel}/{endpoint}', '/channels/{channel}/{endpoint}', true],
    ['/channels/{channel}/{endpoint}', '/{service}/{channel}', true],
    ['/channels/{channel}/{endpoint}', '/{service}/{channel}/{endpoint}', true],
    ['/channels/{channel}/{endpoint}', '/channels/{channel}', true],
    ['/channels/{channel}/{endpoint}', '/other/{channel}/{endpoint}', false],
    ['/channels/{channel}/{endpoint}', '/dubbo/{channel}/providers/{endpoint}', false],
    ['/{channel}/a/{endpoint}', '/{channel}/b/{endpoint}', false],
    ['/{channel}/a/{endpoint}', '/{channel}/{zone}/{endpoint}', true],
    ['/{channel}', '/{service}/{channel}', false],
  ];
  for (const [a, b, expected] of cases) {
    assert.equal(overlap(compiled(a), compiled(b)), expected, `${a} ${b}`);
    assert.equal(overlap(compiled(b), compiled(a)), expected, `${b} ${a}`);
  }
});

/** Deterministic: a failure can be run again. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (most) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * most);
  };
}

test('the steps of any pattern make its text again, and whatever is given, there is a pattern or a reason', () => {
  const next = numbers(7);
  const names = [
    'a',
    'b-1',
    '{channel}',
    '{endpoint}',
    '{zone}',
    '{x_y}',
    'zookeeper',
    '',
    '{',
    'é',
    '..',
    '{a}b',
    ' ',
  ];
  let good = 0;
  for (let round = 0; round < 5_000; round++) {
    const text = Array.from({ length: next(7) }, () => `/${names[next(names.length)]}`).join('');
    const pattern = compilePattern(text, next(3) === 0 ? 'news' : undefined);
    if (typeof pattern === 'string') {
      assert.notEqual(pattern, '');
      continue;
    }
    good += 1;
    const variables = [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const again = pattern.steps.reduce(
      (path, { suffix }, i) => below(path, `{${variables[i]}}`) + suffix,
      pattern.base,
    );
    assert.equal(again, text);
    assert.equal(pattern.steps.length, variables.length);
    assert.ok(pattern.channelDepth >= pattern.steps.length - 1, 'the channel is above the endpoints or the last one');
    assert.equal(pattern.channel === undefined, variables.includes('channel'));
    assert.ok(overlap(pattern, pattern), 'with itself');
  }
  assert.ok(good > 50, `${good} patterns`);
});

test('what may name the one channel of a tree is what may name any channel', () => {
  for (const name of [
    'news',
    'a b',
    '新闻',
    '...',
    '.',
    '..',
    '',
    'a/b',
    'a\\b',
    'a\nb',
    '\ud800',
    '\ufffd',
    '\u2028',
  ]) {
    const taken = typeof compilePattern('/a/{endpoint}', name) !== 'string';
    assert.equal(taken, parseChannelName(name) !== undefined, JSON.stringify(name));
  }
});
