// What the documents name exists: commands and flags, npm scripts, files, settings, variables, metrics.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { parseAllDocuments, parseDocument } from 'yaml';
import { planMemory } from '../../src/cluster/memory.js';
import { settings, settingsTree } from '../../src/config/settings.js';
import { loadConfig, readConfig } from '../../src/config.js';
import { createMetrics } from '../../src/metrics.js';
import { packageRoot } from '../../src/package.js';
import { runWeir } from '../support/weir.js';

const read = (path: string) => readFileSync(packageRoot + path, 'utf8');
const readme = read('README.md');
const dockerfile = read('Dockerfile');
const alerts = read('config/alerts.yml');
const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;

/** Every match's first group in a text. */
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1] ?? '');
const blocks = all(readme, /^```(?:sh)?\n([\s\S]*?)^```$/gm).join('\n');
const words = all(readme.replaceAll(/^```[\s\S]*?^```$/gm, ''), /`([^`\n]+)`/g);

describe('README.md', () => {
  test('names commands that exist, with flags that they take', async () => {
    const lines = [...blocks.split('\n'), ...words].map((line) => /(?:^|= )?\bweir ([a-z]+)( .*)?$/.exec(line.trim()));
    const used = new Map<string, Set<string>>();
    for (const match of lines) {
      const [, command = '', rest = ''] = match ?? [];
      if (command === '') continue;
      const flags = used.get(command) ?? new Set();
      for (const flag of rest.match(/(?<= )--[a-z-]+/g) ?? []) flags.add(flag);
      used.set(command, flags);
    }
    assert.ok(used.size >= 5, [...used.keys()].join(', '));
    for (const [command, flags] of used) {
      const { code, stdout } = await runWeir([command, '--help']);
      assert.equal(code, 0, `weir ${command} does not exist`);
      for (const flag of flags) assert.match(stdout, new RegExp(`${flag}\\b`), `weir ${command} takes no ${flag}`);
    }
  });

  test('names npm scripts that exist', () => {
    const named = all(readme, /\bnpm run (?:-s )?([a-z][\w:-]*)/g);
    assert.ok(named.includes('demo'));
    for (const name of named) assert.ok(name in scripts, `npm run ${name}`);
    assert.ok('test' in scripts);
  });

  test('has one test command, which .ci/run finds', () => {
    const [command = '', ...more] = all(readme, /^<!-- test command -->\n```sh\n([\s\S]*?)```$/gm);
    assert.deepEqual(more, []);
    assert.equal(command.trim(), 'npm ci && npm test');
  });
});

const sections = new Set(settingsTree.sections.map((section) => section.key));
const variables = new Set([...settings.values()].map((setting) => setting.env));

for (const path of ['README.md', 'docs/hls.md', 'docs/operations.md', 'docs/bounds.md', 'docs/fleet.md']) {
  const text = read(path);
  const quoted = all(text.replaceAll(/^```[\s\S]*?^```$/gm, ''), /`([^`\n]+)`/g);

  test(`${path} names files, settings, variables and metrics that exist`, async () => {
    const links = all(text, /\]\((?!https?:)([^)#]+)/g).map((link) => join(dirname(path), link));
    const paths = quoted.filter((word) => /^(src|test|bench|config|docs)\/[\w./-]+$/.test(word));
    for (const file of [...links, ...paths]) assert.ok(existsSync(packageRoot + file), file);

    const keys = quoted.filter((word) => /^[a-z]\w*(\.\w+)+$/.test(word) && sections.has(word.split('.')[0] ?? ''));
    assert.ok(keys.length >= 5);
    for (const key of keys) assert.ok(settings.has(key) || isSection(key), key);
    for (const key of all(text, /--set ([\w.]+)=/g)) assert.ok(settings.has(key), key);

    for (const name of quoted.flatMap((word) => all(word, /^(WEIR_[A-Z_]+)/g))) {
      const ours = ['WEIR_CONFIG', 'WEIR_TEST_ZOOKEEPER', 'WEIR_LOCK_TOKEN'];
      const foreign = [...ours, 'WEIR_SERVICE_HOST', 'WEIR_PORT_', 'WEIR_'];
      assert.ok(variables.has(name) || foreign.includes(name), name);
    }
    await assertMetrics(text);
  });
}

/** Such as `relay.gopCache`, which stands for all settings in it. */
function isSection(key: string): boolean {
  return [...settings.keys()].some((setting) => setting.startsWith(`${key}.`));
}

async function assertMetrics(text: string): Promise<void> {
  const known = new Set((await createMetrics().registry.getMetricsAsJSON()).map((metric) => metric.name));
  for (const name of all(text, /\b((?:weir|nodejs|process)_[a-z0-9_]+)/g)) {
    assert.ok(known.has(name.replace(/_(bucket|sum|count)$/, '')), name);
  }
}

test('the alerts name metrics that exist', () => assertMetrics(alerts));

test('the alerts name settings that exist', () => {
  const named = all(alerts, /\b((?:registry|http|upstream|balancer|shutdown)\.[a-zA-Z.]+[a-zA-Z])/g);
  assert.ok(named.length >= 2);
  for (const key of named) assert.ok(settings.has(key), key);
});

describe('compose.yaml', () => {
  interface Service {
    readonly build?: string;
    readonly image?: string;
    readonly command?: readonly string[];
    readonly environment?: Readonly<Record<string, unknown>>;
    readonly volumes?: readonly string[];
    readonly depends_on?: readonly string[];
  }
  const document = parseDocument(read('compose.yaml'), { merge: true });
  const compose = document.toJS() as {
    readonly services: Readonly<Record<string, Service>>;
    readonly volumes: Readonly<Record<string, unknown>>;
  };
  const services = Object.entries(compose.services);

  test('is YAML, and every service has an image or is built here', () => {
    assert.deepEqual(document.errors, []);
    assert.deepEqual(Object.keys(compose.services), ['zookeeper', 'origin-a', 'origin-b', 'weir', 'prometheus']);
    for (const [name, { build, image }] of services) assert.ok(build === '.' || image !== undefined, name);
  });

  test('mounts files that exist and volumes that are declared, and depends on services that are there', () => {
    for (const [name, { volumes = [], depends_on = [] }] of services) {
      for (const volume of volumes) {
        const source = volume.split(':')[0] ?? '';
        const found = source.startsWith('.') ? existsSync(packageRoot + source) : source in compose.volumes;
        assert.ok(found, `${name} mounts ${source}`);
      }
      for (const other of depends_on) assert.ok(other in compose.services, `${name} depends on ${other}`);
    }
  });

  test('runs commands with flags, settings and addresses that exist', async () => {
    const known = new Set(['WEIR_CONFIG', ...[...settings.values()].map((setting) => setting.env)]);
    const built = services.filter(([, { build }]) => build === '.');
    assert.equal(built.length, 3);
    for (const [name, { command = [], environment = {} }] of built) {
      for (const variable of Object.keys(environment)) assert.ok(known.has(variable), `${name}: ${variable}`);
      const { code, stdout } = await runWeir([command[0] ?? '', '--help']);
      assert.equal(code, 0, `${name}: ${command.join(' ')}`);
      const flags = command.filter((word) => word.startsWith('--'));
      for (const flag of flags) assert.match(stdout, new RegExp(`${flag}\\b`), `${name}: ${flag}`);
      const registered = command[command.indexOf('--register') + 1]?.split(':');
      if (command.includes('--register')) {
        assert.equal(registered?.[0], name);
        assert.equal(command[command.indexOf('--listen') + 1]?.split(':').at(-1), registered?.[1]);
      }
    }
  });
});

describe('Dockerfile', () => {
  test('copies only what exists and what .dockerignore lets through', () => {
    const allowed = all(read('.dockerignore'), /^!(.+)$/gm);
    const sources = all(dockerfile, /^COPY (?!--from)(.+)$/gm).flatMap((line) => line.split(' ').slice(0, -1));
    assert.ok(sources.includes('package-lock.json'));
    for (const source of sources) {
      assert.ok(existsSync(packageRoot + source), source);
      assert.ok(
        allowed.some((path) => source === path || source.startsWith(`${path}/`)),
        `${source} is kept out by .dockerignore`,
      );
    }
  });

  test('runs and checks its health with files that are built, and has weir on its path', () => {
    const built = all(dockerfile, /\/weir\/(dist\/src\/[\w./-]+)/g);
    assert.deepEqual([...new Set(built)].sort(), ['dist/src/commands/health-check.js', 'dist/src/main.js']);
    for (const path of built) assert.ok(existsSync(packageRoot + path), path);
    assert.match(dockerfile, /ln -s \/weir\/dist\/src\/main\.js \/usr\/local\/bin\/weir/);
    assert.match(dockerfile, /^ENTRYPOINT \["weir"\]$/m);
    const { bin } = JSON.parse(read('package.json')) as { bin: { weir: string } };
    assert.equal(bin.weir, 'dist/src/main.js');
    assert.match(read('dist/src/main.js'), /^#!\/usr\/bin\/env node\n/);
  });

  test('runs as a user with a number, who owns where the snapshot is kept', () => {
    assert.match(dockerfile, /^USER 1000:1000$/m);
    assert.match(dockerfile, /install -d -o 1000 -g 1000 \/var\/lib\/weir/);
  });
});

describe('config/kubernetes.yaml', () => {
  interface Probe {
    readonly httpGet: { readonly path: string; readonly port: string };
  }
  interface Container {
    readonly args: readonly string[];
    readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    readonly env: readonly { readonly name: string; readonly value?: string }[];
    readonly livenessProbe: Probe;
    readonly readinessProbe: Probe;
    readonly resources: { readonly limits: { readonly memory: string } };
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  }
  const documents = parseAllDocuments(read('config/kubernetes.yaml'));
  const [deployment, service] = documents.map((document) => document.toJS());
  const pod = deployment.spec.template.spec;
  const container = pod.containers[0] as Container;
  const value = (name: string) => container.env.find((variable) => variable.name === name)?.value;

  test('is YAML with a deployment and a service for players alone', () => {
    for (const { errors } of documents) assert.deepEqual(errors, []);
    assert.deepEqual([deployment.kind, service.kind], ['Deployment', 'Service']);
    assert.deepEqual(service.spec.selector, deployment.spec.template.metadata.labels);
    assert.deepEqual(
      service.spec.ports.map((port: { targetPort: string }) => port.targetPort),
      ['players'],
    );
  });

  test('sets settings that exist to values that they take', () => {
    const env = Object.fromEntries(container.env.map((variable) => [variable.name, variable.value ?? 'a secret']));
    assert.deepEqual(readConfig({ env }).warnings, []);
    assert.deepEqual(container.args, ['serve']);
  });

  test('probes what the admin listener answers, from outside the pod', () => {
    const admin = container.ports.find(({ name }) => name === 'admin')?.containerPort;
    assert.equal(value('WEIR_ADMIN_LISTEN'), `:${admin}`);
    for (const probe of [container.livenessProbe, container.readinessProbe]) assert.equal(probe.httpGet.port, 'admin');
    assert.equal(container.livenessProbe.httpGet.path, '/healthz');
    assert.equal(container.readinessProbe.httpGet.path, '/readyz');
  });

  test('runs as the user of the image, and gives it the folders that it writes', () => {
    assert.deepEqual([pod.securityContext.runAsNonRoot, pod.securityContext.runAsUser], [true, 1000]);
    const volumes = new Set(pod.volumes.map((volume: { name: string }) => volume.name));
    for (const { name } of container.volumeMounts) assert.ok(volumes.has(name), name);
    const folders = container.volumeMounts.map(({ mountPath }) => mountPath);
    assert.ok(folders.includes('/tmp'));
    assert.ok(folders.includes(dirname(value('WEIR_REGISTRY_SNAPSHOT_FILE') ?? '')));
  });

  test('sets budgets of memory that fit into the limit of the pod', () => {
    const env = Object.fromEntries(container.env.map((variable) => [variable.name, variable.value]));
    const { cluster, hls, relay, workers } = loadConfig({ env });
    const limit = /^(\d+)Gi$/.exec(container.resources.limits.memory)?.[1];
    const budgets = { cache: hls.cacheSize, sessions: hls.sessionMemory, viewers: relay.viewerBuffer.total };
    const machine = { cores: 1, memoryBytes: Number(limit) * 1024 ** 3 };
    const plan = planMemory({ ...cluster, budgets, onHeap: ['sessions'] }, Number(workers), machine);
    assert.equal(plan.notice, undefined);
    assert.deepEqual(plan.budgets, budgets);
  });

  test('gives a pod as long to end as the settings do', () => {
    const env = Object.fromEntries(container.env.map((variable) => [variable.name, variable.value]));
    const { delay, grace } = loadConfig({ env }).shutdown;
    assert.ok(pod.terminationGracePeriodSeconds * 1000 > delay + grace);
  });
});
