// Finds what the integration tests need on this machine and, as root on Debian, installs what is missing.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { packageRoot } from '../../src/package.js';

interface Need {
  readonly what: string;
  readonly present: () => boolean;
  readonly packages: readonly string[];
}

const onPath = (program: string) => spawnSync('which', [program], { stdio: 'ignore' }).status === 0;

const needs: readonly Need[] = [
  {
    what: 'a ZooKeeper server',
    present: () =>
      process.env['WEIR_TEST_ZOOKEEPER'] !== undefined ||
      (existsSync('/usr/share/java/zookeeper.jar') && onPath('java')),
    packages: ['zookeeper', 'default-jre-headless'],
  },
  {
    what: "ZooKeeper's own zkCli.sh",
    present: () => existsSync('/usr/share/zookeeper/bin/zkCli.sh'),
    packages: ['zookeeper'],
  },
  {
    what: 'kazoo, as a writer that is not ours',
    present: () => existsSync('/usr/lib/python3/dist-packages/kazoo/client.py'),
    packages: ['python3-kazoo'],
  },
  {
    what: "Curator's service discovery, and a compiler for its caller",
    present: () =>
      existsSync('/usr/share/java/curator-x-discovery.jar') && existsSync('/usr/share/java/eclipse-ecj.jar'),
    packages: ['libcurator-discovery-java', 'libecj-java'],
  },
  { what: 'ffmpeg', present: () => onPath('ffmpeg') && onPath('ffprobe'), packages: ['ffmpeg'] },
  { what: 'openssl, for certificates', present: () => onPath('openssl'), packages: ['openssl'] },
  { what: 'promtool', present: () => onPath('promtool'), packages: ['prometheus'] },
  { what: 'headless Chromium', present: () => onPath('chromium'), packages: ['chromium'] },
  {
    what: 'a C compiler',
    present: () => onPath('gcc') && onPath('g++') && onPath('make'),
    packages: ['build-essential', 'python3'],
  },
];

function apt(...words: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', words, { stdio: 'inherit', env }).status === 0;
}

function nativeClientLoads(): boolean {
  try {
    createRequire(import.meta.url)('zookeeper');
    return true;
  } catch {
    return false;
  }
}

/** True when everything is there. Otherwise says on standard error what is missing and how to get it. */
export function provision(): boolean {
  const missing = needs.filter((need) => !need.present());
  if (missing.length > 0) {
    const packages = [...new Set(missing.flatMap((need) => need.packages))];
    const list = missing.map((need) => need.what).join(', ');
    if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
      console.error(`Installing what the integration tests need (${list}): apt-get install ${packages.join(' ')}`);
      // Without recommended packages: they would start services that nobody asked for.
      apt('update', '-qq');
      apt('install', '-y', '-qq', '--no-install-recommends', ...packages);
    }
    const still = missing.filter((need) => !need.present());
    if (still.length > 0) {
      console.error(`The integration tests need ${still.map((need) => need.what).join(', ')}.`);
      console.error(
        `On Debian: sudo apt-get install ${[...new Set(still.flatMap((need) => need.packages))].join(' ')}`,
      );
      console.error('A running ZooKeeper can be given as WEIR_TEST_ZOOKEEPER=HOST:PORT.');
      return false;
    }
  }
  if (!nativeClientLoads()) {
    console.error('Building the native ZooKeeper client: npm rebuild zookeeper');
    spawnSync('npm', ['install', '--no-save', '--include=optional'], { stdio: 'inherit', cwd: packageRoot });
    spawnSync('npm', ['rebuild', 'zookeeper'], { stdio: 'inherit', cwd: packageRoot });
    if (!nativeClientLoads()) {
      console.error('The npm package `zookeeper` does not load; it needs gcc, g++, make and python3 to build.');
      return false;
    }
  }
  return true;
}
