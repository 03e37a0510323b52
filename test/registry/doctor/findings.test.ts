// What is seen of a ZooKeeper, and what follows from it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clockFinding,
  type Finding,
  rightsFindings,
  type SeenRoot,
  serverFindings,
  sessionFinding,
  treeFindings,
} from '../../../src/registry/doctor/findings.js';
import { readAnswer, type ServerAnswer } from '../../../src/registry/doctor/four-letter.js';

const told = (findings: readonly Finding[]) => findings.map(({ check, state }) => `${check} ${state}`);

test('a server says its version and mode, that it serves nobody, or nothing', () => {
  const answer =
    'Zookeeper version: 3.8.0-$commit, built on 2024\nLatency min/avg/max: 0/0/0\nMode: follower\nNode count: 5\n';
  assert.deepEqual(readAnswer(answer), { kind: 'serves', version: '3.8.0', mode: 'follower' });
  const older =
    'Zookeeper version: 3.4.13-2d71af4dbe22557fda74f9a9b4309b15a7487f03, built on 06/29/2018\nMode: leader\n';
  assert.deepEqual(readAnswer(older), { kind: 'serves', version: '3.4.13', mode: 'leader' });
  assert.deepEqual(readAnswer('This ZooKeeper instance is not currently serving requests\n'), { kind: 'idle' });
  for (const text of ['srvr is not executed because it is not in the whitelist.\n', '', 'HTTP/1.1 400 Bad Request']) {
    assert.deepEqual(readAnswer(text), { kind: 'off' });
  }
});

const serves = (mode: string, version = '3.8.0'): ServerAnswer => ({ kind: 'serves', version, mode });
const members = ['server.1=a:2888:3888:participant;2181', 'server.2=b:2888:3888', 'server.3=c:2888:3888', 'version=0'];

test('every server that is named is judged, and the ensemble against them', () => {
  const answers: ServerAnswer[] = [
    serves('leader'),
    { kind: 'idle' },
    { kind: 'off' },
    { kind: 'unreachable', why: 'x' },
  ];
  const servers = answers.map((answer, i) => ({ name: `${i}`, answer }));
  assert.deepEqual(told(serverFindings(servers, ['no address for d'], members)), [
    ...['servers bad', 'servers ok', 'servers bad', 'servers note', 'servers bad'],
    'ensemble ok',
  ]);
  const one = [{ name: 'a', answer: serves('leader') }];
  assert.match(serverFindings(one, [], members).at(-1)?.found ?? '', /has 3 servers, and .* names 1/);
  assert.deepEqual(told(serverFindings(one, [], [...members, 'server.4=d:1:2:observer'])), [
    'servers ok',
    'ensemble bad',
  ]);
  assert.deepEqual(told(serverFindings([{ name: 'a', answer: serves('standalone', '3.4.13') }], [], [])), [
    'servers note',
    'ensemble note',
  ]);
});

test('a session that is much longer than asked for keeps dead origins', () => {
  assert.deepEqual(
    [4, 8, 12, 20].map((seconds) => sessionFinding(8_000, seconds * 1000).state),
    ['note', 'ok', 'note', 'bad'],
  );
});

const root: SeenRoot = { path: '/c', state: 'there', acl: undefined, user: undefined, scratch: undefined };
const open = { perms: 31, scheme: 'world', auth: 'anyone' };
const read = { perms: 1, scheme: 'world', auth: 'anyone' };
const own = { perms: 31, scheme: 'digest', auth: 'a:hash' };
const rights: [name: string, seen: Partial<SeenRoot>, expected: string[]][] = [
  ['a root that nobody made yet', { state: 'missing' }, ['rights note']],
  ['a root that may not be read', { state: 'no_auth' }, ['rights bad']],
  ['an open root without credentials', { acl: [open] }, ['rights note']],
  ['an open root with credentials', { acl: [open], user: 'a' }, ['rights bad']],
  ['a root of the credentials', { acl: [own, read], user: 'a' }, ['rights ok']],
  ['a root of others', { acl: [own, read], user: 'b' }, ['rights bad']],
  ['a root whose ACL is not told', { user: 'a' }, ['rights ok']],
  [
    'a scratch node that could be made',
    { acl: [own, read], user: 'a', scratch: { error: undefined } },
    ['rights ok', 'rights ok'],
  ],
  ['a scratch node that could not be made', { acl: [read], scratch: { error: 'no' } }, ['rights ok', 'rights bad']],
];
for (const [name, seen, expected] of rights) {
  test(`rights: ${name}`, () => assert.deepEqual(told(rightsFindings({ ...root, ...seen })), expected));
}

test('a clock counts as wrong from five seconds on, ahead or behind, or by a change in the future', () => {
  const state = (skew: number | undefined, newest = 0) => clockFinding(skew, newest, 100_000).state;
  assert.deepEqual(
    [0, 4_000, -4_000, 6_000, -6_000].map((skew) => state(skew)),
    ['ok', 'ok', 'ok', 'bad', 'bad'],
  );
  assert.deepEqual(
    [0, 104_000, 106_000].map((newest) => state(undefined, newest)),
    ['ok', 'ok', 'bad'],
  );
});

test('nodes that are not used are told by reason with some paths, and so is a packet that grows too large', () => {
  const faults = new Map([['bad_json', { count: 7, paths: ['/c/a', '/c/b'] }]]);
  const findings = treeFindings({ channels: 1, endpoints: 2, watched: { bytes: 900_000, alarm: true }, faults });
  assert.deepEqual(told(findings), ['limits bad', 'nodes ok', 'nodes bad']);
  assert.match(findings[2]?.found ?? '', /^bad_json: 7, such as \/c\/a, \/c\/b$/);
  for (const { state, advice } of findings) assert.equal(advice === undefined, state === 'ok');
});

test('sessions that ZooKeeper refuses are told with what to raise', () => {
  const why = 'zk1:2181 closes connections at once';
  const [finding] = treeFindings({ missingSessions: { open: 1, wanted: 4, why } });
  assert.equal(finding?.state, 'bad');
  assert.match(finding?.found ?? '', /1 of 4 sessions were opened \(zk1:2181 closes connections at once\)/);
  assert.match(finding?.advice ?? '', /raise maxClientCnxns/);
});
