// Programs of others that register in ZooKeeper: Debian's kazoo, and Curator's own library. Each keeps its session until it is
// stopped.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../src/package.js';
import { classPath } from './zookeeper.js';

const writers = join(packageRoot, 'test/support/writers');
/** Quick to start; they end soon. */
const java = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx128m'];
const curatorJars = [
  'curator-client.jar',
  'curator-framework.jar',
  'curator-x-discovery.jar',
  'guava.jar',
  'failureaccess.jar',
];

export interface Registered {
  /** Ends its session. */
  stop(): Promise<void>;
}

export interface NodeToWrite {
  readonly path: string;
  readonly data: string;
  readonly ephemeral: boolean;
}

function started(command: string, args: readonly string[]): ChildProcess & { output: string } {
  const child = Object.assign(spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] }), { output: '' });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      child.output = (child.output + chunk).slice(-4_000);
    });
  }
  child.stdin?.on('error', () => {});
  return child;
}

/** Resolves when the program says the word; it ends when its standard input does. */
async function running(command: string, args: readonly string[], word: string, input = ''): Promise<Registered> {
  const child = started(command, args);
  const ended = once(child, 'close');
  child.stdin?.write(input);
  const { stdout } = child;
  if (stdout === null) throw new Error('no standard output');
  const lines = createInterface(stdout);
  const said = new Promise<boolean>((resolve) => {
    lines.on('line', (line) => {
      if (line === word) resolve(true);
    });
    ended.then(() => resolve(false)).catch(() => resolve(false));
  });
  const stop = async () => {
    const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
    child.stdin?.end();
    await ended;
    clearTimeout(late);
    lines.close();
  };
  if (await said) return { stop };
  throw new Error(`${command} ended: ${child.output}`);
}

/** Writes nodes with kazoo, with all that is above them. */
export async function writeWithKazoo(address: string, nodes: readonly NodeToWrite[]): Promise<Registered> {
  const script = join(writers, 'kazoo_writer.py');
  return await running('/usr/bin/python3', [script, address], 'written', `${JSON.stringify(nodes)}\n`);
}

/** Registers 10.0.0.9:8080 for a service with Curator's service discovery. */
export async function registerWithCurator(address: string, basePath: string, service: string): Promise<Registered> {
  const jars = classPath(curatorJars);
  const out = mkdtempSync(join(tmpdir(), 'weir-curator-'));
  try {
    const compiler = 'org.eclipse.jdt.internal.compiler.batch.Main';
    const source = join(writers, 'CuratorOrigin.java');
    const compile = started('java', [
      '-cp',
      '/usr/share/java/eclipse-ecj.jar',
      compiler,
      '-11',
      '-nowarn',
      '-proc:none',
      '-d',
      out,
      '-cp',
      jars,
      source,
    ]);
    const [code] = await once(compile, 'close');
    if (code !== 0) throw new Error(`the Java compiler ended with ${code}: ${compile.output}`);
    const args = [...java, '-cp', `${out}:${jars}`, 'CuratorOrigin', address, basePath, service, '10.0.0.9', '8080'];
    return await running('java', args, 'registered');
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
