import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuQuota, openFiles, openFilesWarning, thisMachine } from '../../src/cluster/machine.js';

const system = (files: Record<string, string>) => (path: string) => files[path];

for (const [name, files, expected] of [
  ['no control group', {}, undefined],
  [
    'the first version, without a limit',
    {
      '/proc/self/cgroup': '4:memory:/\n1:cpu,cpuacct:/\n0::/\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    },
    undefined,
  ],
  [
    'the first version in a container, where its own group is the root',
    {
      '/proc/self/cgroup': '7:cpuacct,cpu:/docker/5f3a\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    },
    0.5,
  ],
  [
    'the first version, the smallest of all groups above',
    {
      '/proc/self/cgroup': '1:cpu:/pod/container\n',
      '/sys/fs/cgroup/cpu/pod/cpu.cfs_quota_us': '150000',
      '/sys/fs/cgroup/cpu/pod/cpu.cfs_period_us': '100000',
      '/sys/fs/cgroup/cpu/pod/container/cpu.cfs_quota_us': '400000',
      '/sys/fs/cgroup/cpu/pod/container/cpu.cfs_period_us': '100000',
    },
    1.5,
  ],
  [
    'the second version in a container',
    {
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/cpu.max': '250000 100000\n',
    },
    2.5,
  ],
  [
    'the second version below a slice with a limit',
    {
      '/proc/self/cgroup': '0::/system.slice/weir.service\n',
      '/sys/fs/cgroup/system.slice/weir.service/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/system.slice/cpu.max': '300000 100000\n',
    },
    3,
  ],
  [
    'a path out of the namespace',
    { '/proc/self/cgroup': '0::/../../x\n', '/sys/fs/cgroup/cpu.max': '100000 100000' },
    1,
  ],
  ['nonsense', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '0 0\n' }, undefined],
] as [string, Record<string, string>, number | undefined][]) {
  test(`the quota of cores: ${name}`, () => assert.equal(cpuQuota(system(files)), expected));
}

test('this machine has at least one core and some memory', () => {
  const { cores, memoryBytes } = thisMachine();
  assert.ok(Number.isInteger(cores) && cores >= 1 && memoryBytes > 0, `${cores} cores, ${memoryBytes} bytes`);
});

const limits = (soft: string) =>
  system({
    '/proc/self/limits': `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${soft}                20000                files     \n`,
  });

test('the limit of open files is read, and one that http.maxConnections does not fit into is told', () => {
  assert.equal(openFiles(limits('200 ')), 200);
  assert.equal(openFiles(limits('unlimited')), undefined);
  assert.equal(openFiles(system({})), undefined);
  assert.match(openFilesWarning(15_000, 200) ?? '', /is 200: .* 15000 .* http\.maxConnections/);
  assert.match(openFilesWarning(15_000, 4_096) ?? '', /lower http\.maxConnections to 3840$/);
  assert.equal(openFilesWarning(15_000, 16_000), undefined);
  assert.equal(openFilesWarning(15_000, undefined), undefined);
});
