// config/weir.service beside the settings that it has to fit.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configSchema } from '../../src/config-schema.js';
import { packageRoot } from '../../src/package.js';

const lines = readFileSync(`${packageRoot}config/weir.service`, 'utf8').split('\n');
const unit = new Map<string, string>();
let section = '';
for (const line of lines) {
  if (line.startsWith('[')) section = line.slice(1, -1);
  else if (line.includes('=') && !line.startsWith('#'))
    unit.set(`${section}.${line.split('=', 1)[0]}`, line.replace(/^[^=]*=/, ''));
}
const service = (key: string) => unit.get(`Service.${key}`);
const defaults = configSchema.parse({});

test('the service ends the supervisor alone, and leaves players the time that the settings give them', () => {
  assert.equal(service('KillMode'), 'mixed');
  const { delay, grace } = defaults.shutdown;
  // A worker that does not end by itself is killed five seconds after the grace.
  assert.ok(Number(service('TimeoutStopSec')) * 1_000 > delay + grace + 5_000);
});

test('the service has room for as many players as the settings allow', () => {
  assert.ok(Number(service('LimitNOFILE')) > 2 * defaults.http.maxConnections);
});

test('a reload of the service is a SIGHUP for the supervisor', () => {
  assert.match(service('ExecReload') ?? '', /kill -HUP \$MAINPID$/);
});

test('a supervisor that fails is started again, with the settings of its file', () => {
  assert.equal(service('Restart'), 'on-failure');
  assert.match(service('ExecStart') ?? '', /^\/\S+\/weir serve --config \/\S+$/);
});

test('what is protected leaves weir what it needs', () => {
  // Sockets in /tmp, the snapshot in /var/lib, code that Node compiles, addresses of the machine.
  assert.equal(service('PrivateTmp'), 'yes');
  assert.equal(service('StateDirectory'), 'weir');
  assert.equal(service('MemoryDenyWriteExecute'), undefined);
  assert.deepEqual(service('RestrictAddressFamilies')?.split(' ').sort(), [
    'AF_INET',
    'AF_INET6',
    'AF_NETLINK',
    'AF_UNIX',
  ]);
});

test('the unit has the sections of a service that is started at boot', () => {
  assert.equal(unit.get('Install.WantedBy'), 'multi-user.target');
  assert.deepEqual([...new Set([...unit.keys()].map((key) => key.split('.')[0]))], ['Unit', 'Service', 'Install']);
});
