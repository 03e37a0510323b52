import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { parse } from 'yaml';
import { renderEffective } from '../src/config/effective.js';
import { settings } from '../src/config/settings.js';
import { ConfigError, type ConfigRequest, loadConfig, readConfig } from '../src/config.js';
import { configSchema } from '../src/config-schema.js';

const directory = mkdtempSync(join(tmpdir(), 'weir-config-'));
after(() => rmSync(directory, { recursive: true }));

let files = 0;
function write(text: string): string {
  files += 1;
  const path = join(directory, `file-${files}`);
  writeFileSync(path, text);
  return path;
}

/** The lines of the error, without the path of the temporary directory. */
function problems(request: ConfigRequest): string[] {
  try {
    loadConfig(request);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message
      .replaceAll(`${directory}/`, '')
      .replaceAll(/file-\d+/g, 'FILE')
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

describe('sources', () => {
  test('without any source every setting is at its default', () => {
    assert.deepEqual(loadConfig({}), configSchema.parse({}));
  });

  test('the last of file, environment, --set and flags wins', () => {
    const file = write('listen: :1\nadmin:\n  listen: :1\nupstream:\n  retries: 1\nbalancer:\n  lossWeight: 1\n');
    const config = loadConfig({
      file,
      env: { WEIR_ADMIN_LISTEN: ':2', WEIR_UPSTREAM_RETRIES: '2', WEIR_LISTEN: ':2' },
      sets: ['upstream.retries=3', 'listen=:3'],
      overrides: [{ origin: '--listen', settings: { listen: ':4' } }],
    });
    assert.equal(config.balancer.lossWeight, 1);
    assert.equal(config.admin.listen, ':2');
    assert.equal(config.upstream.retries, 3);
    assert.equal(config.listen, ':4');
  });

  test('a section or setting left empty in the file keeps its defaults', () => {
    const config = loadConfig({ file: write('registry:\n  zookeeper:\nupstream:\n  retries:\n') });
    assert.deepEqual(config, configSchema.parse({}));
    assert.deepEqual(loadConfig({ file: write('# nothing\n') }), configSchema.parse({}));
  });

  test('WEIR_CONFIG names the file unless --config does', () => {
    const env = { WEIR_CONFIG: write('listen: :1\n') };
    assert.equal(loadConfig({ env }).listen, ':1');
    assert.equal(loadConfig({ env, file: write('listen: :2\n') }).listen, ':2');
    assert.equal(loadConfig({ env: { WEIR_CONFIG: '' } }).listen, ':8080');
  });

  test('the configuration is frozen to its leaves', () => {
    const config = loadConfig({});
    assert.throws(() => Object.assign(config.registry.zookeeper, { root: '/x' }), TypeError);
    assert.throws(() => config.upstream.allow.push('0.0.0.0/0'), TypeError);
  });

  const texts: [key: string, text: string, pick: (config: ReturnType<typeof loadConfig>) => unknown, value: unknown][] =
    [
      ['registry.zookeeper.sessionTimeout', '500ms', (c) => c.registry.zookeeper.sessionTimeout, 500],
      ['registry.zookeeper.sessionTimeout', '1.5s', (c) => c.registry.zookeeper.sessionTimeout, 1500],
      ['registry.zookeeper.sessionTimeout', '2m', (c) => c.registry.zookeeper.sessionTimeout, 120_000],
      ['registry.zookeeper.sessionTimeout', '1h', (c) => c.registry.zookeeper.sessionTimeout, 3_600_000],
      ['relay.linger', '0', (c) => c.relay.linger, 0],
      ['relay.linger', '480h', (c) => c.relay.linger, 480 * 3_600_000],
      ['http.maxHeaderSize', '64KiB', (c) => c.http.maxHeaderSize, 65_536],
      ['http.maxHeaderSize', '1MiB', (c) => c.http.maxHeaderSize, 1_048_576],
      ['http.maxHeaderSize', '20000B', (c) => c.http.maxHeaderSize, 20_000],
      ['balancer.policy', 'p2c', (c) => c.balancer.policy, 'p2c'],
      ['log.requests', 'false', (c) => c.log.requests, false],
      ['upstream.retries', '0', (c) => c.upstream.retries, 0],
      ['http.cors', '', (c) => c.http.cors, []],
      [
        'http.cors',
        'https://a.example, https://b.example',
        (c) => c.http.cors,
        ['https://a.example', 'https://b.example'],
      ],
      ['upstream.allow', '[10.0.0.0/8, "::1/128"]', (c) => c.upstream.allow, ['10.0.0.0/8', '::1/128']],
      ['registry.zookeeper.root', '/1234', (c) => c.registry.zookeeper.root, '/1234'],
    ];
  for (const [key, text, pick, value] of texts) {
    test(`--set ${key}=${text} and its variable mean ${JSON.stringify(value)}`, () => {
      assert.deepEqual(pick(loadConfig({ sets: [`${key}=${text}`] })), value);
      const env = settings.get(key)?.env;
      assert.ok(env);
      if (text !== '') assert.deepEqual(pick(loadConfig({ env: { [env]: text } })), value);
    });
  }

  test('an empty variable counts as not set', () => {
    assert.equal(loadConfig({ env: { WEIR_LISTEN: '' } }).listen, ':8080');
  });

  test("variables of the tests, of Kubernetes' services and of others are left alone", () => {
    const env = {
      WEIR_TEST_ZOOKEEPER: '127.0.0.1:2181',
      WEIR_SERVICE_HOST: '10.0.0.1',
      WEIR_SERVICE_PORT_HTTP: '80',
      WEIR_PORT: 'tcp://10.0.0.1:80',
      WEIR_PORT_80_TCP_ADDR: '10.0.0.1',
      WEIR_ADMIN_PORT: 'tcp://10.0.0.1:80',
      PATH: '/bin',
    };
    assert.deepEqual(loadConfig({ env }), configSchema.parse({}));
  });

  test('every setting has a variable of its own, made of its path', () => {
    const names = [...settings.values()].map((setting) => setting.env);
    assert.equal(new Set(names).size, names.length);
    assert.equal(settings.get('registry.zookeeper.sessionTimeout')?.env, 'WEIR_REGISTRY_ZOOKEEPER_SESSION_TIMEOUT');
    assert.equal(settings.get('http.maxUrlLength')?.env, 'WEIR_HTTP_MAX_URL_LENGTH');
  });

  test('no duration that may be set is longer than what a timer takes, with a tenth on top', () => {
    const durations = [...settings.values()].filter((setting) => setting.expected.startsWith('a duration'));
    assert.ok(durations.length > 20);
    for (const { key, expected } of durations) {
      const hours = Number(/ to (\d+)h$/.exec(expected)?.[1] ?? 0);
      assert.ok(hours * 3_600_000 * 1.1 < 2 ** 31, key);
    }
  });

  test('every setting says what it does', () => {
    const silent = [...settings.values()].filter((setting) => !setting.description.endsWith('.'));
    assert.deepEqual(
      silent.map((setting) => setting.key),
      [],
    );
  });
});

describe('problems', () => {
  const cases: [name: string, request: () => ConfigRequest, expected: (string | RegExp)[]][] = [
    [
      'a value of the wrong kind is told with its line',
      () => ({ file: write('listen: :1\nbalancer:\n  policy: fastest\n') }),
      [/^balancer\.policy: expected one of adaptive, .*, got "fastest" \(FILE:3\)$/],
    ],
    [
      'all problems of all sources are told at once',
      () => ({ file: write('listen: 8080\n'), env: { WEIR_UPSTREAM_RETRIES: '-1' }, sets: ['log.level=loud'] }),
      [
        'listen: expected ADDRESS:PORT, :PORT or [IPv6]:PORT, such as 127.0.0.1:8080, got 8080 (FILE:1)',
        'upstream.retries: expected an integer from 0 to 10, got -1 (WEIR_UPSTREAM_RETRIES)',
        /^log\.level: expected one of trace, .*, got "loud" \(--set\)$/,
      ],
    ],
    [
      'an item of a list is told by its place',
      () => ({ sets: ['upstream.allow=10.0.0.0/8,10.0.0.0/33'] }),
      ['upstream.allow[1]: expected a network such as 10.0.0.0/8, got "10.0.0.0/33" (--set)'],
    ],
    [
      'a duration without a unit that exists',
      () => ({ sets: ['shutdown.grace=10 parsecs'] }),
      ['shutdown.grace: expected a duration from 0 to 24h, got "10 parsecs" (--set)'],
    ],
    [
      'a duration or a size without a unit',
      () => ({ file: write('http:\n  keepAliveTimeout: 5\nhls:\n  cacheSize: 256\n') }),
      [
        'hls.cacheSize: expected a size with its unit, such as 256B, 256KiB, 256MiB, got 256 (FILE:4)',
        'http.keepAliveTimeout: expected a duration with its unit, such as 5ms, 5s, 5m, got 5 (FILE:2)',
      ],
    ],
    [
      'durations that no timer takes, and such as would end at once',
      () => ({ sets: ['registry.zookeeper.reconcileInterval=720h', 'upstream.firstByteTimeout=0', 'listen=8080'] }),
      [
        'listen: expected ADDRESS:PORT, :PORT or [IPv6]:PORT, such as 127.0.0.1:8080, got "8080" (--set)',
        'registry.zookeeper.reconcileInterval: expected a duration from 0 to 480h, got "720h" (--set)',
        'upstream.firstByteTimeout: expected a duration from 10ms to 1h, got 0 (--set)',
      ],
    ],
    [
      'a misspelt setting is answered with its neighbour',
      () => ({ file: write('upstream:\n  retrys: 2\n') }),
      ['upstream.retrys: unknown setting; did you mean upstream.retries? (FILE:2)'],
    ],
    [
      'a setting in the wrong section is answered with its place',
      () => ({ file: write('sessionTimeout: 8s\n') }),
      ['sessionTimeout: unknown setting; did you mean registry.zookeeper.sessionTimeout? (FILE:1)'],
    ],
    [
      'a setting that resembles none is answered with all of its section',
      () => ({ file: write('shutdown:\n  colour: red\n') }),
      [/^shutdown\.colour: unknown setting; expected one of delay, grace \(FILE:2\)$/],
    ],
    [
      'a name that objects have by themselves is unknown too',
      () => ({ file: write('__proto__:\n  x: 1\nconstructor: 1\n') }),
      [/^__proto__: unknown setting/, /^constructor: unknown setting/],
    ],
    [
      'a section that is no mapping',
      () => ({ file: write('registry: zookeeper\n') }),
      [/^registry: expected a mapping with kind, .* \(FILE:1\)$/],
    ],
    [
      'a document that is no mapping',
      () => ({ file: write('- listen\n') }),
      [/^the document: expected a mapping with listen, .* \(FILE:1\)$/],
    ],
    ['text that is not YAML', () => ({ file: write('listen: [\n') }), [/^FILE:\d: not YAML: /]],
    [
      'a setting that stands twice',
      () => ({ file: write('listen: :1\nlisten: :2\n') }),
      [/^FILE:2: not YAML: .*unique/],
    ],
    ['a file that is not there', () => ({ file: '/nowhere' }), ['/nowhere: cannot be read: there is no such file']],
    [
      '--set without a value says what it takes',
      () => ({ sets: ['upstream.retries'] }),
      ['--set upstream.retries: expected --set upstream.retries=VALUE with an integer from 0 to 10'],
    ],
    [
      'servers of ZooKeeper that can never be connected to are refused with the settings',
      () => ({ sets: ['registry.zookeeper.servers=127.0.0.1:99999'] }),
      ['registry.zookeeper.servers: expected HOST:PORT[,HOST:PORT…][/chroot], got "127.0.0.1:99999" (--set)'],
    ],
    [
      '--set of a misspelt setting is answered with the one that was meant',
      () => ({ sets: ['balancer.polcy=p2c', 'servers=zk:2181'] }),
      [
        '--set balancer.polcy: unknown setting; did you mean balancer.policy?',
        '--set servers: unknown setting; did you mean registry.zookeeper.servers?',
      ],
    ],
    [
      'a flag of its own is named',
      () => ({ overrides: [{ origin: '--listen', settings: { listen: 'here' } }] }),
      ['listen: expected ADDRESS:PORT, :PORT or [IPv6]:PORT, got "here" (--listen)'],
    ],
  ];
  for (const [name, request, expected] of cases) {
    test(name, () => {
      const lines = problems(request());
      assert.equal(lines.length, expected.length, lines.join('\n'));
      for (const [index, want] of expected.entries()) {
        const line = lines[index] ?? '';
        if (typeof want === 'string') assert.equal(line, want);
        else assert.match(line, want);
      }
    });
  }
});

describe('warnings', () => {
  const unknown = (name: string, advice: string) => [`${name}: no setting has this variable, it is ignored; ${advice}`];
  const cases: [name: string, variable: string, expected: string[]][] = [
    [
      'a misspelt variable is told with the one that was meant',
      'WEIR_REGISTRY_ZOOKEEPER_SERVER',
      unknown('WEIR_REGISTRY_ZOOKEEPER_SERVER', 'did you mean WEIR_REGISTRY_ZOOKEEPER_SERVERS?'),
    ],
    [
      'a variable that resembles none is told with where to look',
      'WEIR_ZZZZZZZZZZZZ',
      unknown('WEIR_ZZZZZZZZZZZZ', '`weir config --reference` lists them'),
    ],
    ["a variable of a service of Kubernetes is nobody's mistake", 'WEIR_SERVICE_HOST', []],
  ];
  for (const [name, variable, expected] of cases) {
    test(`${name}, never with its value, and the settings are used`, () => {
      const { config, warnings } = readConfig({ env: { [variable]: 'correct-horse', WEIR_LISTEN: ':1' } });
      assert.deepEqual(warnings, expected);
      assert.equal(config.listen, ':1');
    });
  }
});

describe('secrets', () => {
  const word = 'correct-horse';

  test('come from the configuration file, the environment, or a file of their own', () => {
    const token = (request: ConfigRequest) => loadConfig(request).registry.embedded.token;
    assert.equal(token({ file: write(`registry:\n  embedded:\n    token: ${word}\n`) }), word);
    assert.equal(token({ env: { WEIR_REGISTRY_EMBEDDED_TOKEN: word } }), word);
    assert.equal(token({ env: { WEIR_REGISTRY_EMBEDDED_TOKEN: '12345' } }), '12345');
    assert.equal(token({ env: { WEIR_REGISTRY_EMBEDDED_TOKEN_FILE: write(`${word}\n`) } }), word);
    assert.equal(token({ sets: [`registry.embedded.tokenFile=${write(`${word}\r\n`)}`] }), word);
    const credentials = loadConfig({ env: { WEIR_REGISTRY_ZOOKEEPER_CREDENTIALS_FILE: write('user:pass word') } });
    assert.equal(credentials.registry.zookeeper.credentials, 'user:pass word');
  });

  test('the stronger source wins, whether it gives the secret or its file', () => {
    const file = write(`registry:\n  embedded:\n    tokenFile: ${write('weak')}\n`);
    const env = { WEIR_REGISTRY_EMBEDDED_TOKEN: 'middle' };
    assert.equal(loadConfig({ file, env }).registry.embedded.token, 'middle');
    const sets = [`registry.embedded.tokenFile=${write('strong')}`];
    assert.equal(loadConfig({ file, env, sets }).registry.embedded.token, 'strong');
  });

  const refused: [name: string, request: () => ConfigRequest, expected: RegExp][] = [
    ['--set', () => ({ sets: [`registry.embedded.token=${word}`] }), /must not stand in the arguments/],
    [
      'both ways at once',
      () => ({ file: write(`registry:\n  embedded:\n    token: ${word}\n    tokenFile: /x\n`) }),
      /tokenFile: stands beside registry\.embedded\.token; keep one of the two \(FILE:4\)/,
    ],
    [
      'a file that is not there',
      () => ({ env: { WEIR_REGISTRY_EMBEDDED_TOKEN_FILE: '/nowhere' } }),
      /tokenFile: \/nowhere cannot be read: there is no such file \(WEIR_REGISTRY_EMBEDDED_TOKEN_FILE\)/,
    ],
    [
      'a directory',
      () => ({ env: { WEIR_REGISTRY_EMBEDDED_TOKEN_FILE: directory } }),
      /cannot be read: it is a directory/,
    ],
    ['an empty file', () => ({ env: { WEIR_REGISTRY_EMBEDDED_TOKEN_FILE: write('\n') } }), /is empty/],
    [
      'a secret of the wrong kind',
      () => ({ file: write(`registry:\n  embedded:\n    token: [${word}]\n`) }),
      /token: expected text, got \(redacted\) \(FILE:3\)/,
    ],
    [
      'a secret under a misspelt name',
      () => ({ file: write(`registry:\n  embedded:\n    tokn: ${word}\n`) }),
      /tokn: unknown setting; did you mean registry\.embedded\.token\?/,
    ],
  ];
  for (const [name, request, expected] of refused) {
    test(`${name} is refused without a word of it in the message`, () => {
      const text = problems(request()).join('\n');
      assert.match(text, expected);
      assert.ok(!text.includes(word), text);
    });
  }
});

describe('a fleet', () => {
  test('is on by itself where edges can meet, in ZooKeeper, and is not wanted elsewhere', () => {
    assert.equal(loadConfig({}).fleet.enabled, 'auto');
    assert.deepEqual(problems({ sets: ['registry.kind=embedded', 'fleet.enabled=true'] }), [
      'fleet.enabled: expected registry.kind zookeeper, where edges meet, got true (--set)',
    ]);
    assert.deepEqual(problems({ sets: ['registry.kind=embedded', 'fleet.enabled=auto'] }), []);
  });

  test('takes only names and paths that ZooKeeper takes', () => {
    for (const name of ['a/b', '..', '.', 'ü', 'a b', '', 'a'.repeat(256)]) {
      assert.throws(() => configSchema.parse({ fleet: { name } }), name);
      assert.throws(() => configSchema.parse({ fleet: { site: name } }), name);
    }
    for (const root of ['weir', '/', '/weir/', '/a//b', '/a/../b', '/./b', '/a b']) {
      assert.throws(() => configSchema.parse({ fleet: { root } }), root);
    }
    configSchema.parse({ fleet: { name: 'edge-1.example.com:8080', site: 'eu_1', root: '/tv/weir' } });
  });
});

describe('the effective configuration', () => {
  test('says what was set and where, and nothing of a secret', () => {
    const text = renderEffective(
      readConfig({
        file: write('log:\n  level: warn\n'),
        env: { WEIR_REGISTRY_EMBEDDED_TOKEN: 'correct-horse' },
        sets: ['shutdown.grace=3s'],
      }).given,
    );
    assert.match(text, /^ {2}level: warn {2}# .*file-\d+:2$/m);
    assert.match(text, /^ {2}grace: 3s {2}# --set$/m);
    assert.match(text, /^ {4}# token: \(redacted\) {2}# WEIR_REGISTRY_EMBEDDED_TOKEN$/m);
    assert.ok(!text.includes('correct-horse'));
  });

  test('does not show the content of a file that holds a secret', () => {
    const env = { WEIR_REGISTRY_EMBEDDED_TOKEN_FILE: write('correct-horse') };
    assert.ok(!renderEffective(readConfig({ env }).given).includes('correct-horse'));
  });

  test('read again gives the same settings', () => {
    const request = { sets: ['upstream.allow=10.0.0.0/8,::1/128', 'http.cors=[]', 'registry.zookeeper.root=/a#b'] };
    const { config, given } = readConfig(request);
    const text = renderEffective(given);
    assert.equal(typeof parse(text), 'object');
    assert.deepEqual(loadConfig({ file: write(text) }), config);
  });
});

describe('a hub', () => {
  const secret = 'x'.repeat(32);
  const problemsOf = (fleet: object) =>
    configSchema.safeParse({ fleet }).error?.issues.map(({ path }) => path.join('.')) ?? [];

  test('takes a secret of 32 characters or more', () => {
    assert.deepEqual(problemsOf({ hub: true }), ['fleet.secret']);
    assert.deepEqual(problemsOf({ hub: true, secret: 'too-short' }), ['fleet.secret']);
    assert.deepEqual(problemsOf({ hub: true, secret }), []);
    assert.deepEqual(problemsOf({}), []);
  });

  test('takes a name where the others are named, each with its address', () => {
    const peers = ['edge-1@10.0.0.1:8082', 'edge-2:8080@[fd00::2]:8082'];
    assert.deepEqual(problemsOf({ hub: true, secret, peers }), ['fleet.name']);
    assert.deepEqual(problemsOf({ hub: true, secret, name: 'edge-1', peers }), []);
    for (const wrong of ['10.0.0.1:8082', 'edge-1@10.0.0.1', '@10.0.0.1:8082', 'a b@10.0.0.1:8082', 'a@10.0.0.1:1/x']) {
      assert.deepEqual(problemsOf({ hub: true, secret, name: 'edge-1', peers: [wrong] }), ['fleet.peers.0'], wrong);
    }
  });
});
