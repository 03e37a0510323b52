// Cached HLS, so that the edge itself is the work: requests a second, and CPU a request.

import autocannon from 'autocannon';
import { packageRoot } from '../../src/package.js';
import { node, start } from '../support/process.js';
import { markdownTable, median } from '../support/table.js';
import { type BenchEdge, base, childrenCpu, startEdge } from './edges.js';

export interface ObjectOptions {
  readonly rounds: number;
  /** s */
  readonly seconds: number;
  readonly connections: number;
}

interface Sample {
  readonly rate: number;
  /** CPU seconds a request, of all processes of the edge. */
  readonly edgeCpu: number;
  /** Of the supervisor. */
  readonly supervisorCpu: number;
  /** Share of the CPU time used by the generator. */
  readonly generatorShare: number;
}

const objects = [
  { name: 'playlist, under 1 KB', path: '/live/news.m3u8' },
  { name: 'segment, 1 MB', path: '/live/news-100.ts' },
];

async function measure({ url, weir }: BenchEdge, path: string, options: ObjectOptions): Promise<Sample> {
  const before = { own: process.cpuUsage(), supervisor: weir.cpuSeconds(), workers: childrenCpu(weir.pid) };
  const { connections, seconds: duration } = options;
  const result = await autocannon({ url: url + path, connections, duration });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} wrong answers, ${result.errors} errors`);
  const { user, system } = process.cpuUsage(before.own);
  const supervisor = weir.cpuSeconds() - before.supervisor;
  const edge = supervisor + childrenCpu(weir.pid) - before.workers;
  const { total, average } = result.requests;
  const generator = (user + system) / 1e6;
  return {
    rate: average,
    edgeCpu: edge / total,
    supervisorCpu: supervisor / total,
    generatorShare: generator / (generator + edge),
  };
}

export async function compareObjects(options: ObjectOptions): Promise<string> {
  const origin = await start(node(`${packageRoot}dist/bench/proxy/origin.js`));
  const address = `http://127.0.0.1:${origin.firstLine}`;
  const settings = ['hls.stallFactor=100', 'hls.prefetch=false'];
  const edges: BenchEdge[] = [];
  for (const workers of [0, 1, 2]) edges.push(await startEdge(workers, 'news', address, settings));
  for (const { url } of edges) for (const { path } of objects) await (await fetch(url + path)).arrayBuffer();
  const rows: string[][] = [];
  for (const { name: object, path } of objects) {
    const samples = new Map<string, Sample[]>(edges.map(({ name }) => [name, []]));
    for (let round = 0; round <= options.rounds; round += 1) {
      for (const edge of edges) {
        // Round 0 warms up.
        const sample = await measure(edge, path, options);
        if (round > 0) samples.get(edge.name)?.push(sample);
        console.error(`${object}, round ${round} of ${options.rounds}: ${edge.name}`);
      }
    }
    const middle = (name: string, value: (sample: Sample) => number) => median((samples.get(name) ?? []).map(value));
    for (const { name } of edges) {
      const ratio = (value: (sample: Sample) => number) => (middle(name, value) / middle(base, value)).toFixed(2);
      const share = (value: number) => `${Math.round(100 * value)} %`;
      rows.push([
        object,
        name,
        ratio((s) => s.rate),
        ratio((s) => s.edgeCpu),
        share(middle(name, (s) => s.supervisorCpu / s.edgeCpu)),
        share(middle(name, (s) => s.generatorShare)),
      ]);
    }
  }
  const header = [
    'object',
    'edge',
    `requests/s ÷ ${base}`,
    `edge CPU a request ÷ ${base}`,
    'of it supervisor',
    'CPU of the generator',
  ];
  return `### Cached HLS objects

${markdownTable(header, rows)}

With two workers, half of the requests come to the one that does not own the channel: what a request costs there beyond
one worker is half of the hop.`;
}
