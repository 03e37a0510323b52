// Real ZooKeeper servers for tests, from Debian's jars, and Debian's zkCli.sh as the writer that is not ours.

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closedPort } from './ports.js';
import { waitFor } from './wait.js';
import type { Write } from './zookeeper-writer.js';

export interface ZooKeeperServer {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
  /** kill -9; its data stay for `restart`. */
  kill(): Promise<void>;
  /** Starts it again on its port with its data, and waits until it answers. */
  restart(): Promise<void>;
  /** Starts it on a port that nobody knows, as for changes that a client on the old one cannot see. Returns its address. */
  restartElsewhere(): Promise<string>;
  /** Throws its data away; only while it is down. */
  wipe(): void;
  /** Its part in the ensemble as it says itself: `leader`, `follower` or `standalone`; undefined when it does not serve. */
  mode(): Promise<string | undefined>;
  /** The number of the last change: sessions that begin and end are changes too. */
  zxid(): Promise<number>;
  /** SIGSTOP: connections stay open and silent. */
  freeze(): void;
  thaw(): void;
}

export interface ServerOptions {
  /** Milliseconds; a session lives at least twice as long. */
  readonly tickTime?: number;
  /** Further lines of its configuration. */
  readonly lines?: readonly string[];
}

const jars = '/usr/share/java';
const wanted =
  /^(zookeeper|zookeeper-jute|slf4j-api|slf4j-simple|netty|netty-.*|commons-cli|commons-io|commons-lang|metrics-core|snappy-java|jackson-.*|jline2)\.jar$/;

/** What the server and its clients in Java need; `more`: further jars. */
export function classPath(more: readonly string[] = []): string {
  const found = readdirSync(jars).filter((name) => wanted.test(name) || more.includes(name));
  if (!found.includes('zookeeper.jar')) throw new Error(`no zookeeper.jar in ${jars}: apt-get install zookeeper`);
  return found.map((name) => join(jars, name)).join(':');
}

/** Its mode once it serves. */
const modeOf = async (port: number) => /Mode: (\w+)/.exec(await askServer(port))?.[1];

/** The answer to `srvr`; empty where nobody answers. */
function askServer(port: number): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write('srvr'));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

class LocalServer implements ZooKeeperServer {
  private process: ChildProcess | undefined;
  private output = '';

  private readonly directory = mkdtempSync(join(tmpdir(), 'weir-zookeeper-'));
  readonly address: string;

  constructor(
    private readonly port: number,
    private readonly settings: readonly string[],
  ) {
    this.address = `127.0.0.1:${port}`;
    mkdirSync(this.dataDirectory);
  }

  get dataDirectory(): string {
    return join(this.directory, 'data');
  }

  launch(port = this.port): void {
    const lines = [`dataDir=${this.dataDirectory}`, `clientPort=${port}`, ...this.settings];
    writeFileSync(join(this.directory, 'zoo.cfg'), `${lines.join('\n')}\n`);
    const java = spawn(
      'java',
      [
        '-Xmx256m',
        '-XX:+UseSerialGC',
        '-Dzookeeper.4lw.commands.whitelist=srvr',
        '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
        '-cp',
        classPath(),
        'org.apache.zookeeper.server.quorum.QuorumPeerMain',
        join(this.directory, 'zoo.cfg'),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const keep = (chunk: Buffer) => {
      this.output = (this.output + chunk).slice(-4_000);
    };
    java.stdout.on('data', keep);
    java.stderr.on('data', keep);
    java.on('error', (error) => keep(Buffer.from(String(error))));
    this.process = java;
  }

  async ready(port = this.port): Promise<void> {
    await waitFor(
      async () => {
        if (this.process?.exitCode !== null) throw new Error(`ZooKeeper did not start: ${this.output}`);
        return (await modeOf(port)) !== undefined;
      },
      { deadline: 60_000, what: 'ZooKeeper to answer' },
    );
  }

  async restart(): Promise<void> {
    this.launch();
    await this.ready();
  }

  async restartElsewhere(): Promise<string> {
    const port = await closedPort();
    this.launch(port);
    await this.ready(port);
    return `127.0.0.1:${port}`;
  }

  wipe(): void {
    rmSync(this.dataDirectory, { recursive: true });
    mkdirSync(this.dataDirectory);
  }

  async kill(): Promise<void> {
    const { process: java } = this;
    this.process = undefined;
    if (java === undefined || java.exitCode !== null || java.signalCode !== null) return;
    const gone = new Promise((resolve) => java.once('close', resolve));
    java.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  mode(): Promise<string | undefined> {
    return modeOf(this.port);
  }

  async zxid(): Promise<number> {
    const [, digits] = /Zxid: (0x[0-9a-f]+)/.exec(await askServer(this.port)) ?? [];
    if (digits === undefined) throw new Error(`${this.address} tells no zxid`);
    return Number(digits);
  }

  freeze(): void {
    this.process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.process?.kill('SIGCONT');
  }
}

const commonSettings = [
  'clientPortAddress=127.0.0.1',
  'admin.enableServer=false',
  // Every transaction on disk before its answer would make a test as slow as the disk.
  'forceSync=no',
  'maxClientCnxns=0',
];

/** A server of the test's own, which it may kill. The caller ends it with `stop`. */
export async function startZooKeeper({ tickTime = 500, lines = [] }: ServerOptions = {}): Promise<ZooKeeperServer> {
  const port = await closedPort();
  const server = new LocalServer(port, [`tickTime=${tickTime}`, ...commonSettings, ...lines]);
  server.launch();
  await server.ready();
  return server;
}

/** Three servers, of which one leads. */
export async function startEnsemble({ tickTime = 500 }: ServerOptions = {}): Promise<ZooKeeperServer[]> {
  const ports = await Promise.all(Array.from({ length: 9 }, closedPort));
  const members = [0, 1, 2].map((i) => `server.${i + 1}=127.0.0.1:${ports[i + 3]}:${ports[i + 6]}`);
  const servers = [0, 1, 2].map((i) => {
    const quorum = [`tickTime=${tickTime}`, 'initLimit=20', 'syncLimit=10', ...members];
    const server = new LocalServer(ports[i] ?? 0, [...quorum, ...commonSettings]);
    writeFileSync(join(server.dataDirectory, 'myid'), `${i + 1}\n`);
    server.launch();
    return server;
  });
  await Promise.all(servers.map((server) => server.ready()));
  return servers;
}

/** The server given as WEIR_TEST_ZOOKEEPER, or one of the test's own; for tests that only read and write. */
export async function useZooKeeper(): Promise<{ readonly address: string; stop(): Promise<void> }> {
  const given = process.env['WEIR_TEST_ZOOKEEPER'];
  return given === undefined ? await startZooKeeper() : { address: given, stop: async () => {} };
}

export interface ZkShell {
  /** Sends one command. */
  run(command: string): void;
  /** Ends its session and returns what it printed. */
  close(): Promise<string>;
  /** kill -9: its session lives on until it expires. */
  kill(): Promise<void>;
}

/** Debian's zkCli.sh with a session of its own. It is killed if it does not end in time. */
export function openZkCli(address: string): ZkShell {
  // A short session, for when it is killed; and in a group of its own, as the script is not the Java process.
  const shell = spawn('/usr/share/zookeeper/bin/zkCli.sh', ['-timeout', '4000', '-server', address], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, JVMFLAGS: '-Xmx128m' },
    detached: true,
  });
  let output = '';
  const keep = (chunk: Buffer) => {
    output += chunk;
  };
  shell.stdout.on('data', keep);
  shell.stderr.on('data', keep);
  shell.stdin.on('error', () => {});
  const ended = new Promise<void>((resolve, reject) => {
    shell.once('close', () => resolve());
    shell.once('error', reject);
  });
  const kill = async () => {
    if (shell.pid !== undefined && shell.exitCode === null && shell.signalCode === null) {
      process.kill(-shell.pid, 'SIGKILL');
    }
    await ended;
  };
  return {
    run: (command) => void shell.stdin.write(`${command}\n`),
    close: async () => {
      shell.stdin.end('quit\n');
      const timer = setTimeout(kill, 60_000);
      await ended;
      clearTimeout(timer);
      return output;
    },
    kill,
  };
}

/** Runs commands through zkCli.sh, one session for all of them, and returns what it printed. */
export async function zkCli(address: string, ...commands: readonly string[]): Promise<string> {
  const shell = openZkCli(address);
  for (const command of commands) shell.run(command);
  return await shell.close();
}

/**
 * Writes nodes that no command line can: any bytes, many at once. In a process of its own, as the native client wants it.
 * A node that exists is set. Fails when a write does.
 */
export async function writeNodes(address: string, writes: readonly Write[]): Promise<void> {
  const writer = fork(fileURLToPath(new URL('./zookeeper-writer.js', import.meta.url)), [], {
    execArgv: [],
    serialization: 'advanced',
  });
  const ended = new Promise<number | null>((resolve) => writer.once('close', resolve));
  writer.send({ address, writes });
  const code = await ended;
  if (code !== 0) throw new Error(`writing ${writes.length} nodes failed: exit ${code}`);
}
