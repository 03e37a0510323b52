import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseOrca } from '../../src/balancer/orca.js';

const cases: readonly [header: string, load: number | undefined, packetLoss: number | undefined][] = [
  ['TEXT cpu_utilization=0.3', 0.3, undefined],
  ['cpu_utilization=0.3,mem_utilization=0.8', 0.3, undefined],
  ['TEXT application_utilization=0.6, cpu_utilization=0.3', 0.6, undefined],
  ['TEXT cpu_utilization:0.3', 0.3, undefined],
  ['TEXT cpu_utilization=0.3,named_metrics.packet_loss_rate=0.02', 0.3, 0.02],
  ['JSON {"cpu_utilization":0.3}', 0.3, undefined],
  ['{"cpu_utilization":0.3}', 0.3, undefined],
  ['JSON {"cpuUtilization":0.3,"applicationUtilization":0.5}', 0.5, undefined],
  ['JSON {"cpu_utilization":0.3,"named_metrics":{"packet_loss_rate":0.02}}', 0.3, 0.02],
  // A server that fails fast looks idle.
  ['TEXT cpu_utilization=0.1,eps=30,rps_fractional=100', 0.4, undefined],
  ['TEXT cpu_utilization=0.1,eps=300,rps_fractional=100', 1, undefined],
  // Overcommitted is full; a percentage, and a zero that protobuf sends for an unset field, are unknown.
  ['TEXT cpu_utilization=1.7', 1, undefined],
  ['TEXT application_utilization=0,cpu_utilization=0.2', 0.2, undefined],
  ['TEXT cpu_utilization=75', undefined, undefined],
  ['TEXT cpu_utilization=-1', undefined, undefined],
  ['TEXT cpu_utilization=1e999', undefined, undefined],
  ['JSON {"cpu_utilization":"0.3"}', undefined, undefined],
  ['JSON {"named_metrics":{"packet_loss_rate":7}}', undefined, undefined],
];

for (const [header, load, packetLoss] of cases) {
  test(`${header} is load ${load}, loss ${packetLoss}`, () => {
    const report = parseOrca(header);
    assert.ok(report !== undefined);
    assert.equal(report.load === undefined ? undefined : Number(report.load.toFixed(9)), load);
    assert.equal(report.packetLoss, packetLoss);
  });
}

test('what is no report is undefined', () => {
  for (const header of [
    '',
    'BIN CgA=',
    'TEXT',
    'JSON [1]',
    'JSON {',
    'null',
    'cpu_utilization',
    `TEXT ${'a=1,'.repeat(9999)}`,
  ]) {
    assert.equal(parseOrca(header), undefined, header.slice(0, 20));
  }
});

test('no header throws or yields a value out of range', () => {
  const text = fc.oneof(
    fc.string(),
    fc.json().map((json) => `JSON ${json}`),
    fc.string().map((rest) => `TEXT a=${rest}`),
  );
  fc.assert(
    fc.property(text, (header) => {
      const { load = 0, packetLoss = 0 } = parseOrca(header) ?? {};
      assert.ok(load >= 0 && load <= 1 && packetLoss >= 0 && packetLoss <= 1);
    }),
  );
});
