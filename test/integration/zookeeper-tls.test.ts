// TLS to ZooKeeper: a real server with a secureClientPort that wants client certificates.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { parseConnectString } from '../../src/net-address.js';
import type { TlsSettings } from '../../src/registry/tls/connection.js';
import { Tunnel } from '../../src/registry/tls/tunnel.js';
import { type Certificates, makeCertificates } from '../support/certificates.js';
import { closedPort } from '../support/ports.js';
import { runWeir } from '../support/weir.js';
import { startZooKeeper, type ZooKeeperServer } from '../support/zookeeper.js';

let certificates: Certificates;
let zookeeper: ZooKeeperServer;
let securePort = 0;
let good: TlsSettings;

before(async () => {
  certificates = makeCertificates();
  const { path } = certificates;
  certificates.sign('server', 'DNS:zookeeper.test');
  certificates.sign('edge', 'DNS:edge.test');
  certificates.authority('stranger');
  certificates.join('server.pem', 'server.key', 'server.crt', 'ca.crt');
  certificates.join('trusted.pem', 'ca.crt');
  securePort = await closedPort();
  good = { ca: path('ca.crt'), cert: path('edge.crt'), key: path('edge.key'), serverName: 'zookeeper.test' };
  zookeeper = await startZooKeeper({
    lines: [
      `secureClientPort=${securePort}`,
      'secureClientPortAddress=127.0.0.1',
      'serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory',
      `ssl.keyStore.location=${path('server.pem')}`,
      'ssl.keyStore.type=PEM',
      `ssl.trustStore.location=${path('trusted.pem')}`,
      'ssl.trustStore.type=PEM',
      'ssl.clientAuth=need',
    ],
  });
});
after(async () => {
  await zookeeper.stop();
  certificates.remove();
});

const servers = (text: string) => parseConnectString(text)?.servers ?? [];

/** What a client in this process gets through a tunnel when it asks `srvr`. */
async function ask(tunnel: Tunnel): Promise<string> {
  const [near] = servers(tunnel.connect);
  const socket = connect(near?.port ?? 0, '127.0.0.1', () => socket.write('srvr'));
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

test('channels are written and followed through TLS, past a server that is away', async () => {
  const env = {
    WEIR_REGISTRY_ZOOKEEPER_SERVERS: `127.0.0.1:${await closedPort()},127.0.0.1:${securePort}`,
    WEIR_REGISTRY_ZOOKEEPER_TLS_CA: good.ca,
    WEIR_REGISTRY_ZOOKEEPER_TLS_CERT: good.cert ?? '',
    WEIR_REGISTRY_ZOOKEEPER_TLS_KEY: good.key ?? '',
    WEIR_REGISTRY_ZOOKEEPER_TLS_SERVER_NAME: 'zookeeper.test',
  };
  const written = await runWeir(['channel', 'put', 'news', 'a', '--address', '10.0.0.1:80'], '', env);
  assert.equal(written.code, 0, written.stderr);
  const listed = await runWeir(['channels', '--json', '--timeout', '50'], '', env);
  assert.equal(listed.code, 0, listed.stderr);
  assert.match(listed.stdout, /"service_address":"10\.0\.0\.1:80"/);
});

test('what this process asks through the tunnel is answered', async () => {
  const tunnel = await Tunnel.open(servers(`127.0.0.1:${securePort}`), good);
  try {
    assert.match(await ask(tunnel), /^Mode: standalone$/m);
    assert.equal(tunnel.problems, '');
  } finally {
    await tunnel.close();
  }
});

test('another process of this machine gets nothing through the tunnel', async () => {
  const tunnel = await Tunnel.open(servers(`127.0.0.1:${securePort}`), good);
  try {
    const program = `
      const socket = require('node:net').connect(${servers(tunnel.connect)[0]?.port}, '127.0.0.1', () => socket.write('srvr'));
      socket.on('data', (chunk) => process.stdout.write(chunk));
      socket.on('error', () => {});
      socket.on('close', () => process.stdout.write('closed'));`;
    const stranger = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    stranger.stdout.on('data', (chunk) => {
      text += chunk;
    });
    await once(stranger, 'close');
    assert.equal(text, 'closed');
    assert.match(await ask(tunnel), /^Mode: standalone$/m);
  } finally {
    await tunnel.close();
  }
});

const refusals: [name: string, settings: () => TlsSettings, why: RegExp][] = [
  [
    'a server of another authority',
    () => ({ ...good, ca: certificates.path('stranger.crt') }),
    /its certificate is from no authority in registry\.zookeeper\.tls\.ca/,
  ],
  [
    'a server with another name',
    () => ({ ...good, serverName: undefined }),
    /its certificate is for another name \(registry\.zookeeper\.tls\.serverName\)/,
  ],
  [
    'a client without a certificate, where the server wants one,',
    () => ({ ca: good.ca, serverName: good.serverName }),
    /it takes no client without a certificate that it trusts/,
  ],
  ['a missing file', () => ({ ...good, ca: '/nowhere.pem' }), /registry\.zookeeper\.tls\.ca: ENOENT.*\/nowhere\.pem/],
];
for (const [name, settings, why] of refusals) {
  test(`${name} is refused with a message in words`, async () => {
    let told: (text: string) => void = () => {};
    const failed = new Promise<string>((resolve) => {
      told = resolve;
    });
    const tunnel = await Tunnel.open(servers(`127.0.0.1:${securePort}`), settings(), { onAllFailed: told });
    try {
      assert.equal(await ask(tunnel), '');
      assert.match(await failed, why);
      assert.match(tunnel.problems, why);
    } finally {
      await tunnel.close();
    }
  });
}
