// The built command line as its users meet it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { version } from '../../src/package.js';
import { closedPort } from '../support/ports.js';
import { waitFor } from '../support/wait.js';
import { runWeir, serveWeir, spawnWeir } from '../support/weir.js';

const commands = [
  'serve',
  'demo',
  'register',
  'channels',
  'channel',
  'drain',
  'undrain',
  'zookeeper',
  'config',
  'origin',
  'sign',
];

test('--help names every command', async () => {
  const { code, stdout } = await runWeir(['--help']);
  assert.equal(code, 0);
  for (const command of commands) assert.match(stdout, new RegExp(`^ {2}${command} `, 'm'));
});

test('--version prints the version', async () => {
  for (const words of [['--version'], ['version']]) {
    assert.deepEqual(await runWeir(words), { code: 0, stdout: `${version}\n`, stderr: '' });
  }
});

test('help shows what --help does', async () => {
  assert.deepEqual(await runWeir(['help']), await runWeir(['--help']));
  assert.deepEqual(await runWeir(['help', 'serve']), await runWeir(['serve', '--help']));
});

for (const command of commands) {
  test(`weir ${command} --help shows examples`, async () => {
    const { code, stdout } = await runWeir([command, '--help']);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^Usage: weir ${command} `));
    assert.match(stdout, new RegExp(`^Examples:\n {2}(.*\\| )?weir ${command}`, 'm'));
  });
}

const usageErrors: [parameters: string[], message: RegExp][] = [
  [[], /Usage: weir/],
  [['serv'], /unknown command 'serv'\n\(Did you mean serve\?\)/],
  [['reload'], /unknown command 'reload'; it reads its settings again on SIGHUP/],
  [['serve', '--admin', 'http://127.0.0.1:8081'], /admin\.listen: expected ADDRESS:PORT, .*\(--admin\)/],
  [['serve', '--lissen', ':1'], /unknown option '--lissen'\n\(Did you mean --listen\?\)/],
  [['serve', 'now'], /too many arguments/],
  [['serve', '--listen'], /argument missing/],
  [['serve', '--registry', 'etcd'], /Allowed choices are zookeeper, embedded/],
  [['serve', '--registry', 'embedded', '--zookeeper', 'a:1'], /--zookeeper: cannot be used with --registry embedded/],
  [['serve', '--policy', 'best'], /balancer\.policy: expected one of .*got "best" \(--policy\)/],
  [['serve', '--listen', 'x', '--admin', 'y'], /2 problems[\s\S]*got "x" \(--listen\)\n.*got "y" \(--admin\)/],
  [
    ['serve', '--listen', ':8099', '--admin', '127.0.0.1:8099'],
    /admin\.listen: expected another .*got "127\.0\.0\.1:8099" \(--admin\)/,
  ],
  [['serve', '--config', '/nowhere.yaml'], /\/nowhere\.yaml: cannot be read: there is no such file/],
  [['demo', '--set', 'x=1'], /--set x: unknown setting/],
  [['register', '--channel', 'news'], /required option '--address <address>' not specified/],
  [['register', '--channel', 'a/b', '--address', 'h:1'], /Expected one path segment/],
  [['register', '--channel', 'news', '--address', 'ftp://h'], /Expected HOST:PORT/],
  [['register', '--channel', 'news', '--address', 'h:1', '--load', '75'], /Expected a number from 0 to 1/],
  [['channels', '--admin', 'http://h:1', '--zookeeper', 'h:2'], /cannot be used with/],
  [['channels', '--admin', 'h'], /registry\.embedded\.url: expected a URL .*got "h" \(--admin\)/],
  [['channel', 'put', 'a/b'], /Expected one path segment/],
  [['channel', 'put', 'news', '--data', '-', '--load', '0.5'], /cannot be used with/],
  [['channel', 'put', 'news', '--status', 'gone'], /Allowed choices are live, draining, off/],
  [['config', '--schema', '--check'], /cannot be used with/],
  [['config', '--set', 'registry.embedded.token=abc'], /a secret must not stand in the arguments/],
  [['origin', '--channel', 'news', '--listen', 'x'], /Expected ADDRESS:PORT/],
];
for (const [parameters, message] of usageErrors) {
  test(`weir ${parameters.join(' ')} is refused with exit code 2 and words, no stack`, async () => {
    const { code, stdout, stderr } = await runWeir(parameters);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /);
    assert.equal(stdout, '');
  });
}

test('weir config prints YAML with its sources, --check nothing', async () => {
  const { code, stdout } = await runWeir(['config', '--zookeeper', 'zk:2181']);
  assert.equal(code, 0);
  assert.match(stdout, /^ {4}servers: zk:2181 {2}# --zookeeper$/m);
  assert.deepEqual(await runWeir(['config', '--check']), { code: 0, stdout: '', stderr: '' });
});

test('weir config --json prints one object, of what is wrong too', async () => {
  const { code, stdout } = await runWeir(['config', '--json', '--zookeeper', 'zk:2181']);
  assert.equal(code, 0);
  const { settings, origins } = JSON.parse(stdout) as { settings: object; origins: object };
  assert.deepEqual(origins, { 'registry.kind': '--zookeeper', 'registry.zookeeper.servers': '--zookeeper' });
  assert.ok('listen' in settings);
  const wrong = await runWeir(['config', '--json', '--check', '--set', 'log.level=loud']);
  assert.deepEqual([wrong.code, (JSON.parse(wrong.stdout) as { ok: boolean }).ok], [2, false]);
  assert.match(wrong.stderr, /log\.level/);
});

test('weir config takes the flags of weir serve', async () => {
  const { code, stdout } = await runWeir(['config', '--listen', ':1', '--admin', ':2', '--policy', 'p2c']);
  assert.equal(code, 0);
  assert.match(stdout, /^listen: :1 {2}# --listen$/m);
  assert.match(stdout, /^ {2}listen: :2 {2}# --admin$/m);
  assert.match(stdout, /^ {2}policy: p2c {2}# --policy$/m);
});

test('an unknown variable of the environment is told and keeps nobody from starting', async () => {
  const child = spawnWeir(['config', '--check'], { WEIR_VERSION: '1' });
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  assert.match(stderr, /^weir: warning: WEIR_VERSION: no setting has this variable, it is ignored; /);
});

async function takenPort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { server, port: address.port };
}

test('a port that is taken ends serve with exit code 1 and advice', async () => {
  const { server, port } = await takenPort();
  try {
    const ports = ['--listen', `127.0.0.1:${port}`, '--admin', '127.0.0.1:0'];
    const { code, stdout, stderr } = await runWeir(['serve', '--registry', 'embedded', ...ports]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(`^weir: .*address already in use 127\\.0\\.0\\.1:${port}; choose another port`, 'm'),
    );
    assert.doesNotMatch(stderr, /\n\s+at /);
    assert.equal(stdout, '');
  } finally {
    server.close();
  }
});

test('a port that only the worker finds taken ends serve with its address, in words', async () => {
  const port = await closedPort();
  // The same to the system, not to the settings.
  const ports = ['--listen', `localhost:${port}`, '--admin', `127.0.0.1:${port}`, '--set', 'workers=1'];
  const { code, stdout, stderr } = await runWeir(['serve', '--registry', 'embedded', ...ports]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    new RegExp(`^weir: .*address already in use.* \\(localhost:${port}\\); choose another port`, 'm'),
  );
  assert.doesNotMatch(stderr, /\n\s+at |"cause":"crash"/);
  assert.equal(stdout, '');
});

test('workers without a folder for their sockets: the error says what to do, and workers: 0 is one of it', async () => {
  const env = { TMPDIR: '/proc' };
  const parameters = ['serve', '--registry', 'embedded', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  const { code, stderr } = await runWeir([...parameters, '--set', 'workers=1'], '', env);
  assert.equal(code, 1);
  assert.match(stderr, /^weir: no folder for the workers' sockets in \/proc: .*TMPDIR.*workers: 0/m);
  assert.doesNotMatch(stderr, /\n\s+at /);
  const edge = spawnWeir([...parameters, '--set', 'workers=0'], env);
  const closed = once(edge, 'close');
  edge.stdout?.once('data', () => edge.kill('SIGTERM'));
  assert.deepEqual(await closed, [0, null]);
});

test('the log has the version and the addresses when it is ready', async () => {
  const edge = await serveWeir('--registry', 'embedded', '--set', 'workers=0');
  try {
    const record = await waitFor(() =>
      edge
        .log()
        .split('\n')
        .find((line) => line.includes('"msg":"ready"')),
    );
    const { players, admin, registry, version: told } = JSON.parse(record) as Record<string, string>;
    assert.deepEqual([players, admin, registry, told], [edge.players, edge.admin, 'embedded', version]);
    const metrics = await (await fetch(`${edge.admin}/metrics`)).text();
    assert.match(metrics, new RegExp(`^weir_build_info\\{version="${version}",node="${process.version}"\\} 1$`, 'm'));
  } finally {
    await edge.stop();
  }
});

for (const workers of [0, 1]) {
  test(`after SIGTERM new players are accepted for shutdown.delay, while /readyz says 503; workers: ${workers}`, async () => {
    const edge = await serveWeir('--registry', 'embedded', '--set', `workers=${workers}`, '--set', 'shutdown.delay=1h');
    try {
      const readiness = async () => (await fetch(`${edge.admin}/readyz`)).status;
      assert.equal(await readiness(), 200);
      const exited = once(edge.child, 'exit');
      edge.child.kill('SIGTERM');
      await waitFor(async () => (await readiness()) === 503, { what: 'the edge to say that it ends' });
      const player = connect(Number(new URL(edge.players).port), '127.0.0.1');
      player.on('error', () => {}).setEncoding('latin1');
      player.write('GET /live/nothing.m3u8 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      const [answer] = (await once(player, 'data')) as [string];
      assert.match(answer, /^HTTP\/1\.1 404 /);
      edge.child.kill('SIGTERM');
      assert.deepEqual(await exited, [143, null]);
    } finally {
      await edge.stop();
    }
  });
}

test('channels of an edge that is not there ends with exit code 1 and words, its --admin in either form', async () => {
  const port = await closedPort();
  for (const admin of [`http://127.0.0.1:${port}`, `127.0.0.1:${port}`]) {
    const { code, stderr } = await runWeir(['channels', '--admin', admin]);
    assert.equal(code, 1);
    assert.match(stderr, /^weir: no answer from the edge at .*ECONNREFUSED/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
});

test('register without the native client of ZooKeeper says what to install, and shows no stack', async () => {
  const hooks = `export async function resolve(name, context, next) {
    if (name === 'zookeeper') throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
    return next(name, context);
  }`;
  const module = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
  const preload = module(`import { register } from 'node:module'; register(${JSON.stringify(module(hooks))});`);
  const words = ['register', '--channel', 'news', '--address', '127.0.0.1:9', '--zookeeper', '127.0.0.1:1'];
  const { code, stderr } = await runWeir(words, '', { NODE_OPTIONS: `--import ${preload}` });
  assert.equal(code, 1);
  assert.match(stderr, /^weir: The npm package `zookeeper` is not installed.*--registry embedded`\.$/m);
  assert.doesNotMatch(stderr, /\n\s+at /);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`serve ends with exit code 0 on ${signal}, with workers and without`, async () => {
    const inOne = await serveWeir('--registry', 'embedded', '--set', 'workers=0');
    inOne.child.kill(signal);
    assert.deepEqual(await once(inOne.child, 'exit'), [0, null]);
    const edge = await serveWeir('--registry', 'embedded', '--set', 'workers=2');
    const exited = once(edge.child, 'exit');
    edge.child.kill(signal);
    assert.deepEqual(await exited, [0, null]);
  });
}

test('SIGHUP reads the settings again and ends nothing', async () => {
  const edge = await serveWeir('--registry', 'embedded', '--set', 'workers=0');
  try {
    edge.child.kill('SIGHUP');
    await waitFor(() => edge.log().includes('settings in effect'), { what: 'the reload' });
    assert.equal((await fetch(`${edge.admin}/healthz`)).status, 200);
  } finally {
    await edge.stop();
  }
});

test('a second signal ends serve at once while a player is still served', async () => {
  const edge = await serveWeir('--registry', 'embedded', '--set', 'shutdown.grace=60s');
  const exited = once(edge.child, 'exit');
  // A request that never ends holds the drain up.
  const player = connect(Number(new URL(edge.players).port), '127.0.0.1');
  player.on('error', () => {});
  await once(player, 'connect');
  let cut = false;
  player.on('close', () => {
    cut = true;
  });
  player.write('GET /live/news.m3u8 HTTP/1.1\r\nHost: x\r\n');
  edge.child.kill('SIGTERM');
  const draining = async () => (await fetch(`${edge.admin}/readyz`)).status === 503;
  await waitFor(draining, { what: 'the edge to drain' });
  edge.child.kill('SIGTERM');
  assert.deepEqual(await exited, [143, null]);
  await waitFor(() => cut, { what: 'the end of the connection' });
});

test('a reader that leaves early is no error', async () => {
  const child = spawnWeir(['config', '--reference']);
  const closed = once(child, 'close');
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdout?.destroy();
  const [code] = await closed;
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
});

test('weir sign prints a URL that an edge with the same keys plays, and says what is missing without a key', async () => {
  const variables = { WEIR_ACCESS_KEYS: 'k1:0123456789abcdef' };
  const { code, stdout } = await runWeir(
    ['sign', 'http://e/live/news.m3u8?a=1', '--expires', '2h', '--json'],
    '',
    variables,
  );
  assert.equal(code, 0);
  const { url, key } = JSON.parse(stdout);
  assert.match(url, /^http:\/\/e\/live\/news\.m3u8\?a=1&weir-token=k1\.\d{10}\.L2xpdmUvbmV3cw\.\.\.[\w-]{43}$/);
  assert.equal(key, 'k1');
  const without = await runWeir(['sign', '/live/news.m3u8', '--expires', '2h']);
  assert.equal(without.code, 1);
  assert.match(without.stderr, /no key to sign with: set access\.keys/);
});
