import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Access, parseKeys } from '../../src/access/access.js';
import { type Grant, signToken } from '../../src/access/token.js';
import { testConfig } from '../support/data-plane.js';

const keys = 'new:0123456789abcdef, old:fedcba9876543210';
const [newKey, oldKey] = parseKeys(keys);
const nowMs = 1_000_000_000_000;

function access(settings: Parameters<typeof testConfig>[0] = { access: { keys } }) {
  const config = testConfig(settings).access;
  const clock = { now: nowMs };
  return { rules: new Access(config, () => clock.now), clock, config: config as { keys: string | undefined } };
}

function token(values: Partial<Grant> = {}, key = newKey): string {
  assert.ok(key !== undefined);
  const grant = { prefix: '/live/news', expiresAt: nowMs / 1_000 + 60, client: undefined, viewer: undefined };
  return signToken({ ...grant, ...values }, key);
}

const asked = {
  path: '/live/news.m3u8',
  stem: '/live/news',
  channel: 'news',
  client: '192.0.2.7',
  address: '192.0.2.7',
};

test('without keys no rule is in force', () => {
  assert.equal(access({}).rules.isInForce, false);
  assert.equal(access().rules.isInForce, true);
});

test('a token admits, is taken out of the query, and is carried on', () => {
  const { rules } = access();
  const own = token({ viewer: 'user-1' });
  assert.deepEqual(rules.admit({ ...asked, query: `?a=1&weir-token=${own}&b=2` }), {
    query: '?a=1&b=2',
    carried: `weir-token=${own}`,
    expiresAtMs: nowMs + 60_000,
    viewer: 'user-1',
  });
  assert.deepEqual(
    { ...(rules.admit({ ...asked, query: `?weir-token=${own}` }) as object) },
    {
      query: '',
      carried: `weir-token=${own}`,
      expiresAtMs: nowMs + 60_000,
      viewer: 'user-1',
    },
  );
});

test('who may not play is told apart by why', () => {
  const { rules, clock } = access();
  const why = (query: string, more: Partial<typeof asked> = {}) => {
    const answer = rules.admit({ ...asked, query, ...more });
    return typeof answer === 'string' ? answer : 'admitted';
  };
  const good = `weir-token=${token()}`;
  assert.equal(why(`?${good}`), 'admitted');
  assert.equal(why(''), 'missing');
  assert.equal(why('?weir%2Dtoken=x'), 'missing');
  assert.equal(why(`?${good}&${good}`), 'malformed');
  assert.equal(why(`?${good}`, { stem: '/live/news-2', path: '/live/news-2.m3u8' }), 'elsewhere');
  const bound = `?weir-token=${token({ client: '192.0.2.8' })}`;
  assert.equal(why(bound), 'client');
  assert.equal(why(bound, { client: '192.0.2.8' }), 'admitted');
  // Known by now, and expired all the same.
  clock.now += 60_000;
  assert.equal(why(`?${good}`), 'expired');
});

test('both keys are accepted, and one that is taken out of the settings no longer, though its tokens were seen', () => {
  const { rules, config } = access();
  const query = `?weir-token=${token({}, oldKey)}`;
  assert.equal(typeof rules.admit({ ...asked, query }), 'object');
  config.keys = 'new:0123456789abcdef';
  rules.configured();
  assert.equal(rules.admit({ ...asked, query }), 'unknown_key');
});

test('open channels need no token, by name or by the beginning of it', () => {
  const { rules } = access({ access: { keys, open: ['news', 'free-*'] } });
  const admits = (channel: string) => typeof rules.admit({ ...asked, channel, query: '' }) === 'object';
  assert.deepEqual(['news', 'free-1', 'news-1', 'free'].map(admits), [true, true, false, false]);
});

test('keys are checked when the settings are read', () => {
  for (const bad of ['k1', 'k1:short', ':0123456789abcdef', 'k 1:0123456789abcdef']) {
    assert.throws(() => testConfig({ access: { keys: bad } }), bad);
  }
  assert.deepEqual(
    parseKeys(' a:0123456789:bcdef\nb:0123456789abcdef\n').map(({ id }) => id),
    ['a', 'b'],
  );
  assert.throws(() => testConfig({ access: { keys }, hls: { mode: 'passthrough' } }));
});

test('players are let in by network, before their tokens are looked at, and also where there are no keys', () => {
  const admits = (rules: Access, address: string, query = '') => {
    const answer = rules.admit({ ...asked, address, query });
    return typeof answer === 'string' ? answer : 'admitted';
  };
  const { rules } = access({ access: { allow: ['192.0.2.0/24', '2001:db8::/32'], deny: ['192.0.2.128/25'] } });
  assert.equal(rules.isInForce, true);
  assert.deepEqual(
    ['192.0.2.7', '2001:db8::1', '192.0.2.200', '198.51.100.1', '2001:db9::1', 'made up'].map((at) =>
      admits(rules, at),
    ),
    ['admitted', 'admitted', 'network', 'network', 'network', 'network'],
  );
  const both = access({ access: { keys, deny: ['192.0.2.7/32'] } }).rules;
  const query = `?weir-token=${token()}`;
  assert.deepEqual([admits(both, '192.0.2.7', query), admits(both, '192.0.2.8', query)], ['network', 'admitted']);
  assert.equal(admits(both, '192.0.2.8'), 'missing');
});
