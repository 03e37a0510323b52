import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromCentre, maxCentreBytes } from '../../src/config/centre.js';
import { renderEffective } from '../../src/config/effective.js';
import { settings } from '../../src/config/settings.js';
import { ConfigError, loadConfig, readConfig } from '../../src/config.js';

const all = { name: '/weir/config', text: 'balancer: {policy: p2c, tieBand: 0.1}\nrelay: {mergeWindow: 50ms}\n' };
const site = { name: '/weir/config/sites/a', text: 'balancer:\n  tieBand: 0.2\n  lossWeight: 3\n' };
const edge = { name: '/weir/config/edges/a/one', text: 'balancer:\n  lossWeight: 4\n' };

function problemsOf(text: string): string {
  try {
    loadConfig({ centre: [{ name: '/weir/config', text }] });
    return '';
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
}

test("an edge's document wins over its site's, that over the one for all, and the environment and flags over each", () => {
  const request = {
    centre: [all, site, edge],
    env: { WEIR_RELAY_MERGE_WINDOW: '10ms' },
    sets: ['balancer.policy=random'],
  };
  const { balancer, relay } = loadConfig(request);
  assert.deepEqual([balancer.policy, balancer.tieBand, balancer.lossWeight], ['random', 0.2, 4]);
  assert.equal(relay.mergeWindow, 10);
});

test('what is in effect names the node and the line that it came from', () => {
  const text = renderEffective(readConfig({ centre: [all, site, edge] }).given);
  assert.match(text, /^ {2}policy: p2c {2}# \/weir\/config:1$/m);
  assert.match(text, /^ {2}tieBand: 0\.2 {2}# \/weir\/config\/sites\/a:2$/m);
  assert.match(text, /^ {2}lossWeight: 4 {2}# \/weir\/config\/edges\/a\/one:2$/m);
});

test('what lays an edge open, and what takes a new start, never comes from the fleet', () => {
  const never = [
    'registry.kind',
    'registry.zookeeper.credentials',
    'admin.listen',
    'admin.hosts',
    'fleet.root',
    'fleet.configFile',
    'listen',
    'log.format',
    'upstream.allow',
    'hls.pinSecret',
    'hls.pinSecretFile',
  ];
  for (const key of never) assert.equal(settings.get(key)?.local, true, key);
  for (const key of ['balancer.policy', 'relay.mergeWindow', 'workers', 'hls.grace', 'http.cors', 'log.level']) {
    assert.equal(settings.get(key)?.local, false, key);
  }
});

test('a secret in the fleet is refused with its place and without a word of it', () => {
  const told = problemsOf('log: {level: warn}\nhls:\n  pinSecret: correct-horse\n');
  assert.match(told, /hls\.pinSecret: never taken from the fleet, as it is a secret.*\(\/weir\/config:3\)/);
  assert.ok(!told.includes('correct-horse'), told);
});

test('a wrong value in the fleet is told with the node, the line and what is expected', () => {
  assert.match(
    problemsOf('\nbalancer: {policy: fastest}\n'),
    /balancer\.policy: expected one of .* \(\/weir\/config:2\)/,
  );
});

test('an empty document, or one of comments, sets nothing', () => {
  for (const text of ['', '\n', '# nothing yet\n']) assert.deepEqual(fromCentre({ ...all, text }).given, []);
});

test('what would keep the parser busy is refused before it is parsed', () => {
  const texts: [string, RegExp][] = [
    [`# ${'x'.repeat(maxCentreBytes)}`, /more than 32 KiB/],
    ['a:\n'.repeat(5_000), /too much in it/],
    ['['.repeat(5_000), /too much in it/],
    ['? '.repeat(900), /`\? key` are not read/],
    ['a: 1\n?\n', /`\? key` are not read/],
  ];
  for (const [text, expected] of texts) assert.match(problemsOf(text), expected);
});

test('a document of a thousand wrong settings is told of in a few lines', () => {
  const lines = problemsOf(Array.from({ length: 900 }, (_, at) => `k${at}: 1\n`).join('')).split('\n');
  assert.ok(lines.length < 20, String(lines.length));
  assert.match(lines.at(-1) ?? '', /890 further problems/);
});
