// `weir serve` before a ZooKeeper, with one worker, and what its processes use.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../src/package.js';
import { node, start } from '../support/process.js';
import type { Reading } from './probe.js';

/** Milliseconds in which a process has to answer. */
const patience = 30_000;

export class Probed {
  #asked = 0;
  readonly #pid: number;
  readonly #directory: string;

  constructor(pid: number, directory: string) {
    this.#pid = pid;
    this.#directory = directory;
  }

  /** What it used so far; its longest pause since the reading before. */
  async read(): Promise<Reading> {
    this.#asked += 1;
    process.kill(this.#pid, 'SIGUSR2');
    const path = join(this.#directory, `${this.#pid}.${this.#asked}`);
    for (const began = performance.now(); !existsSync(path); await sleep(5)) {
      if (performance.now() - began > patience) throw new Error(`process ${this.#pid} does not answer`);
    }
    return JSON.parse(readFileSync(path, 'utf8')) as Reading;
  }
}

export interface ProbedEdge {
  /** From its start until it said that it serves, in ms. */
  readonly readyAfter: number;
  readonly admin: string;
  readonly supervisor: Probed;
  readonly worker: Probed;
  /** Bytes of the registry process. */
  registryResident(): number;
  /** CPU of the registry process so far, in ms. */
  registryCpu(): number;
  stop(): Promise<void>;
}

/**
 * @param root of the package whose build is measured
 * @param tree the root of the channels
 */
export async function startProbedEdge(root: string, zookeeper: string, tree: string): Promise<ProbedEdge> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  const probe = pathToFileURL(`${packageRoot}dist/bench/registry/probe.js`).href;
  const began = performance.now();
  const weir = await start(
    node(
      ...[`${root}dist/src/main.js`, 'serve', '--zookeeper', zookeeper],
      ...['--set', `registry.zookeeper.root=${tree}`],
      ...['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--set', 'workers=1', '--set', 'log.level=error'],
      ...['--set', 'registry.maxEndpointsPerChannel=100000', '--set', 'registry.zookeeper.maxEndpoints=1000000'],
    ),
    undefined,
    { env: { NODE_OPTIONS: `--import=${probe}`, PROBE_DIRECTORY: directory }, deadlineMs: 120_000 },
  );
  const readyAfter = performance.now() - began;
  const [, admin] = weir.firstLine.match(/http:\/\/[^\s,]+/g) ?? [];
  if (admin === undefined) throw new Error(`weir did not say where it is: ${weir.firstLine}`);
  const [registry, worker] = ['process-entry', 'worker-entry'].map((entry) => childOf(weir.pid, entry));
  if (registry === undefined || worker === undefined) throw new Error('weir has other processes than expected');
  return {
    readyAfter,
    admin,
    supervisor: new Probed(weir.pid, directory),
    worker: new Probed(worker, directory),
    registryResident: () => Number(readFileSync(`/proc/${registry}/statm`, 'utf8').split(' ')[1]) * 4096,
    registryCpu: () => {
      const fields = readFileSync(`/proc/${registry}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    stop: async () => {
      await weir.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function childOf(parent: number, entry: string): number | undefined {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => {
      try {
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
        return Number(fields[1]) === parent && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(entry);
      } catch {
        return false;
      }
    });
}
