// The commands around the edge, on a real ZooKeeper and on an embedded registry.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { packageRoot } from '../../src/package.js';
import { closedPort } from '../support/ports.js';
import { waitFor } from '../support/wait.js';
import { runWeir, serveWeir, spawnWeir } from '../support/weir.js';
import { knownToAll } from '../support/workers.js';
import { startZooKeeper, type ZooKeeperServer, zkCli } from '../support/zookeeper.js';

const started: ChildProcess[] = [];
afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** A running `weir` and what it has printed. */
function start(...parameters: string[]) {
  const child = spawnWeir(parameters);
  started.push(child);
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    output.stderr += chunk;
  });
  const told = async (text: string | RegExp, where: 'stdout' | 'stderr' = 'stdout') => {
    const found = () => (typeof text === 'string' ? output[where].includes(text) : text.test(output[where]));
    await waitFor(found, { deadline: 60_000, what: `${text} from weir ${parameters[0]}` }).catch((error: Error) => {
      throw new Error(`${error.message}\n${output.stdout}\n${output.stderr}`);
    });
  };
  const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
    const exited = once(child, 'exit');
    child.kill(signal);
    return ((await exited) as [number | null])[0];
  };
  return { child, output, told, end };
}

describe('with ZooKeeper', () => {
  let zooKeeper: ZooKeeperServer;
  before(async () => {
    zooKeeper = await startZooKeeper();
  });
  after(() => zooKeeper.stop());
  const at = () => ['--zookeeper', zooKeeper.address];
  const endpoint = ['--channel', 'news', '--address', '127.0.0.1:9001'];
  /** An edge in one process, until the test ends; gives what it logs. */
  const startEdge = async (...parameters: string[]) => {
    const edge = await serveWeir(...at(), '--set', 'workers=0', ...parameters);
    started.push(edge.child);
    return edge.log;
  };

  test('channels --watch follows what register adds, reports on standard input and takes away', async () => {
    const watch = start('channels', '--watch', ...at());
    await watch.told(`following zookeeper ${zooKeeper.address}/channels`, 'stderr');
    const register = start('register', ...endpoint, '--load', '0.25', ...at());
    await register.told(/^registered news 127\.0\.0\.1:9001 as \/channels\/news\/endpoint-\d{10}$/m);
    await watch.told('+ news  127.0.0.1:9001  load 25 %  loss -  -\n');

    register.child.stdin?.write('{"load":0.5,"bitrate":1200}\nload is high\n{"packet_loss_rate":0.01}\n');
    await watch.told('~ news  127.0.0.1:9001  load 50 %  loss 1 %  1200 kbit/s\n');
    await register.told('weir: line 2 of standard input: not JSON', 'stderr');
    register.child.stdin?.end();

    const { code, stdout } = await runWeir(['channels', '--json', ...at()]);
    assert.equal(code, 0);
    const { channel, service_address, load, packet_loss_rate } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([channel, service_address, load, packet_loss_rate], ['news', '127.0.0.1:9001', 0.5, 0.01]);

    assert.equal(await register.end(), 0);
    await watch.told('- news  127.0.0.1:9001\n');
    assert.equal(await watch.end('SIGINT'), 0);
  });

  test('register --exit-on-eof ends with its input and takes its endpoint along', async () => {
    const register = start('register', ...endpoint, '--exit-on-eof', '--json', ...at());
    await register.told(/^\{"channel":"news","service_address":"127\.0\.0\.1:9001","path":"\/channels\/news\/.*"\}$/m);
    register.child.stdin?.end();
    assert.deepEqual(await once(register.child, 'exit'), [0, null]);
    const { stdout } = await runWeir(['channels', ...at()]);
    assert.equal(stdout, 'no channels\n');
  });

  test('register keeps an endpoint of several channels, and takes them out together', async () => {
    const parameters = ['--channel', 'one', '--channel', 'two', '--channel', 'one', '--address', '127.0.0.1:9001'];
    const { code, stdout } = await runWeir(['register', ...parameters, '--exit-on-eof', ...at()]);
    assert.equal(code, 0);
    assert.match(stdout, /^registered one \S+ as \/channels\/one\/\S+\nregistered two \S+ as \/channels\/two\/\S+\n$/);
    assert.equal((await runWeir(['channels', ...at()])).stdout, 'no channels\n');
  });

  test('a root or a chroot that does not exist is told by channels and by serve', async () => {
    const nowhere = await runWeir(['channels', ...at(), '--set', 'registry.zookeeper.root=/nothere']);
    assert.equal(nowhere.stdout, 'no channels\n');
    assert.match(nowhere.stderr, /^weir: warning: no node \/nothere in ZooKeeper: nothing was registered yet, or /);
    const elsewhere = await runWeir(['channels', '--zookeeper', `${zooKeeper.address}/nothere`]);
    assert.match(elsewhere.stderr, /^weir: warning: .*the chroot\) does not exist there/);
    const log = await startEdge('--set', 'registry.zookeeper.root=/nothere');
    const missing = /"level":"warn".*no node \/nothere in ZooKeeper/;
    await waitFor(() => missing.test(log()), { what: 'the warning' }).catch(() => assert.fail(log()));
  });

  test('losing ZooKeeper is told in words at once, and so is that it is back', async () => {
    const log = await startEdge();
    await zooKeeper.kill();
    const why = `"why":"${zooKeeper.address} refuses connections (ECONNREFUSED)","msg":"ZooKeeper is out of reach"`;
    await waitFor(() => log().includes(why), { what: 'the warning' }).catch(() => assert.fail(log()));
    const stale = /"level":"warn".*the registry is out of reach: what it last said is served/;
    await waitFor(() => stale.test(log()), { what: 'what it means' }).catch(() => assert.fail(log()));
    const from = log().length;
    await zooKeeper.restart();
    const back = () =>
      ['connected to ZooKeeper', 'following the registry'].every((line) => log().slice(from).includes(line));
    await waitFor(back, { deadline: 60_000, what: 'the return' }).catch(() => assert.fail(log()));
  });

  test('the shell commands of README.md register an endpoint, change it and take it away', async () => {
    const readme = readFileSync(`${packageRoot}README.md`, 'utf8');
    const commands = (/^```\n(create \/channels\n[\s\S]*?)```$/m.exec(readme)?.[1] ?? '').trim().split('\n');
    assert.equal(commands.length, 5);
    const [create, change, remove] = [commands.slice(0, 3), commands.slice(3, 4), commands.slice(4)];
    // Earlier tests left the channel and its counter behind; the example is for a fresh server.
    await zkCli(zooKeeper.address, 'deleteall /channels');
    const watch = start('channels', '--watch', ...at());
    const shell = spawn('/usr/share/zookeeper/bin/zkCli.sh', ['-server', zooKeeper.address], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...process.env, JVMFLAGS: '-Xmx128m' },
    });
    started.push(shell);
    shell.stdin.write(`${create.join('\n')}\n`);
    await watch.told('+ news  127.0.0.1:9001  load 20 %  loss -  -\n');
    shell.stdin.write(`${change.join('\n')}\n`);
    await watch.told('~ news  127.0.0.1:9001  load 90 %  loss -  -\n');
    shell.stdin.write(`${remove.join('\n')}\n`);
    await watch.told('- news  127.0.0.1:9001\n');
  });

  test('channels says so when there is no ZooKeeper', async () => {
    const gone = await startZooKeeper();
    await gone.stop();
    const { code, stderr } = await runWeir(['channels', '--zookeeper', gone.address, '--timeout', '1.5']);
    assert.equal(code, 1);
    assert.match(stderr, /^weir: nothing heard from zookeeper .* in 1\.5 s; is it running.*--zookeeper/m);
  });
});

test('an origin registers at an edge, is played through it and is gone when it ends; the token is needed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-commands-'));
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, 'correct-horse\n');
  const set = ['--set', `registry.embedded.tokenFile=${tokenFile}`];
  // Passing through, an answer says which origin gave it.
  const edge = await serveWeir('--registry', 'embedded', '--set', 'hls.mode=passthrough', ...set);
  try {
    const admin = ['--admin', edge.admin];
    const refused = await runWeir(['register', '--channel', 'news', '--address', '127.0.0.1:1', ...admin]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^weir: .* 401 /m);

    const watch = start('channels', '--watch', ...admin);
    const register = start(
      'register',
      '--channel',
      'vod',
      '--address',
      '127.0.0.1:1',
      '--token-file',
      tokenFile,
      ...admin,
    );
    await register.told('registered vod 127.0.0.1:1');
    await watch.told('+ vod  127.0.0.1:1  load -  loss -  -\n');

    // It registers under an address that has to be known beforehand.
    const address = `127.0.0.1:${await closedPort()}`;
    const origin = start(
      'origin',
      '--channel',
      'news',
      '--name',
      'first',
      '--listen',
      address,
      '--register',
      address,
      ...set,
      ...admin,
    );
    await origin.told(`registered ${address}`);
    await knownToAll(edge, 'news');
    const answer = await fetch(`${edge.players}/live/news.m3u8`);
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /^#EXTM3U\n.*news-\d+\.ts/s);

    await watch.told(`+ news  ${address}`);
    assert.equal(await origin.end(), 0);
    await watch.told(`- news  ${address}`);
    const { stdout } = await runWeir(['channels', ...admin]);
    assert.match(stdout, /^vod /m);
    assert.doesNotMatch(stdout, /^news /m);
  } finally {
    assert.equal(await edge.stop(), 0);
    rmSync(directory, { recursive: true });
  }
});
