// The alerts, as Prometheus' own tool reads them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { packageRoot } from '../../src/package.js';

function promtool(...parameters: string[]): void {
  const { status, stdout, stderr } = spawnSync('promtool', parameters, { cwd: packageRoot, encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
}

test('promtool finds nothing wrong with the configuration and the alerts', () => {
  promtool('check', 'config', 'config/prometheus.yml');
});

test('each alert fires when it should, and none for a well edge', () => {
  promtool('test', 'rules', 'test/alerts.yml');
});

test('there is a case for each alert', () => {
  const { groups } = parse(readFileSync(`${packageRoot}config/alerts.yml`, 'utf8')) as {
    groups: { rules: { alert: string }[] }[];
  };
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  const cases = readFileSync(`${packageRoot}test/alerts.yml`, 'utf8');
  const expected = new Set([...cases.matchAll(/labels: '[^']*alertname="(\w+)"/g)].map((match) => match[1] ?? ''));
  assert.deepEqual([...expected].sort(), alerts.sort());
});
