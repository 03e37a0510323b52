// One HTTP-FLV channel with many viewers: with two workers, the one that does not own the channel takes it from the other.

import { compile, programs } from '../relay/contestants.js';
import { fault, swarm } from '../relay/swarm.js';
import { start } from '../support/process.js';
import { markdownTable } from '../support/table.js';
import { base, childrenCpu, startEdge } from './edges.js';

export interface StreamOptions {
  readonly rounds: number;
  /** s */
  readonly seconds: number;
  readonly viewers: number;
}

const bitrate = 1_000_000;
/** ms of the stream that viewers get at once. */
const window = 100;

interface Sample {
  /** CPU seconds a second, of all processes of the edge. */
  readonly cpu: number;
  /** Of the generator. */
  readonly generator: number;
  /** ms */
  readonly latency: number;
}

async function measure(workers: number, options: StreamOptions): Promise<{ name: string; sample: Sample }> {
  const origin = await start([programs.fanout, '0', '40', String(bitrate)]);
  const settings = [`relay.mergeWindow=${window}ms`, 'http.maxConnections=100000'];
  const { name, url, weir } = await startEdge(workers, 'bench', `127.0.0.1:${origin.firstLine}`, settings);
  const used = () => weir.cpuSeconds() + childrenCpu(weir.pid);
  let before = 0;
  const { viewers, seconds } = options;
  const swarmOptions = { viewers, pace: 500, warmup: 3, seconds, protocol: 'http' } as const;
  const result = await swarm(Number(new URL(url).port), swarmOptions, () => {
    before = used();
  });
  const cpu = (used() - before) / result.seconds;
  await Promise.all([weir.stop(), origin.stop()]);
  const wrong = fault(result, bitrate, window);
  if (wrong !== undefined) throw new Error(`${name} is not correct: ${wrong}`);
  return { name, sample: { cpu, generator: result.swarm_cpu, latency: result.latency_ms.p99 } };
}

export async function compareStreams(options: StreamOptions): Promise<string> {
  compile();
  const samples = new Map<string, Sample[]>();
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const workers of [0, 1, 2]) {
      const { name, sample } = await measure(workers, options);
      samples.set(name, [...(samples.get(name) ?? []), sample]);
      console.error(`stream, round ${round} of ${options.rounds}: ${name}`);
    }
  }
  const total = (name: string, value: (sample: Sample) => number) =>
    (samples.get(name) ?? []).reduce((sum, sample) => sum + value(sample), 0);
  const rows = [...samples.keys()].map((name) => [
    name,
    (total(name, ({ cpu }) => cpu) / total(base, ({ cpu }) => cpu)).toFixed(2),
    (total(name, ({ latency }) => latency) / total(base, ({ latency }) => latency)).toFixed(2),
    `${Math.round((100 * total(name, ({ generator }) => generator)) / total(name, ({ cpu, generator }) => cpu + generator))} %`,
  ]);
  const header = ['edge', `edge CPU ÷ ${base}`, `latency p99 ÷ ${base}`, 'CPU of the generator'];
  return `### One HTTP-FLV channel with ${options.viewers} viewers, windows of ${window} ms\n\n${markdownTable(header, rows)}`;
}
