// `npm run bench:relay`: what a viewer of a 1 Mbit/s stream costs, relative to a bare loop that does one send per viewer
// and window. Every contestant has one core, the origin and the viewers another one. First each is proven to deliver
// what it should; every measurement checks it again. Ratios are of all rounds together: on a shared machine one round is off by a
// fifth, for the bare loop too.

import { parseArgs } from 'node:util';
import { markdownTable, median } from '../support/table.js';
import { bareLoop, type Contestant, compile, haproxy, nginx, weir, weirWebSocket } from './contestants.js';
import { fault, type SwarmResult, swarm } from './swarm.js';

const { values: options } = parseArgs({
  options: {
    viewers: { type: 'string', default: '4000' },
    crowd: { type: 'string', default: '15000' },
    windows: { type: 'string', default: '350,100' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '8' },
    bitrate: { type: 'string', default: '1000000' },
    peers: { type: 'string', default: 'nginx,haproxy' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.error('npm run bench:relay -- [--viewers 4000] [--crowd 15000, 0 for none] [--windows 350,100] [--rounds 3]');
  console.error('                       [--seconds 8] [--bitrate 1000000] [--peers nginx,haproxy]');
  process.exit(0);
}
const bitrate = Number(options.bitrate);
const viewers = Number(options.viewers);
const seconds = Number(options.seconds);

/** A joining viewer is given a group of pictures at once, two seconds of the stream. */
const joinsPerSecond = 500;

type Starter = (window: number, bitrate: number) => Promise<Contestant> | undefined;
interface Sample {
  readonly name: string;
  /** Share of the core. */
  readonly cpu: number;
  readonly residentBytes: number;
  readonly result: SwarmResult;
}

/** Starts one, measures it with `count` viewers and ends it. Undefined where it is not installed. */
async function measure(starter: Starter, window: number, count: number, duration: number): Promise<Sample | undefined> {
  const contestant = await starter(window, bitrate);
  if (contestant === undefined) return undefined;
  const { name, port, protocol, server, others } = contestant;
  try {
    let before = 0;
    const swarmOptions = {
      viewers: count,
      pace: joinsPerSecond,
      warmup: 3,
      seconds: duration,
      protocol,
    } as const;
    const result = await swarm(port, swarmOptions, () => {
      before = server.cpuSeconds();
    });
    const cpu = (server.cpuSeconds() - before) / result.seconds;
    return { name, cpu, residentBytes: server.residentBytes(), result };
  } finally {
    await Promise.all([server, ...others].map((started) => started.stop()));
  }
}

const wanted = options.peers.split(',');
const starters: Starter[] = [bareLoop, weir, weirWebSocket];
if (wanted.includes('nginx')) starters.push(nginx);
if (wanted.includes('haproxy')) starters.push(haproxy);

const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

async function proveCorrect(window: number): Promise<void> {
  for (const starter of starters) {
    const sample = await measure(starter, window, 100, 3);
    if (sample === undefined) {
      console.error('a peer is not installed and does not take part: apt-get install nginx-light haproxy');
      continue;
    }
    const wrong = fault(sample.result, bitrate, window);
    if (wrong !== undefined) throw new Error(`${sample.name} is not correct: ${wrong}`);
  }
}

async function compare(window: number): Promise<string> {
  const samples = new Map<string, Sample[]>();
  const ratios = new Map<string, number[]>();
  for (let round = 1; round <= Number(options.rounds); round += 1) {
    let base: number | undefined;
    for (const starter of starters) {
      const sample = await measure(starter, window, viewers, seconds);
      if (sample === undefined) continue;
      base ??= sample.cpu;
      samples.set(sample.name, [...(samples.get(sample.name) ?? []), sample]);
      ratios.set(sample.name, [...(ratios.get(sample.name) ?? []), sample.cpu / base]);
      const wrong = fault(sample.result, bitrate, window) ?? 'correct';
      console.error(`${window} ms, round ${round}: ${sample.name} ${percent(sample.cpu)}, ${wrong}`);
    }
  }
  const total = (list: readonly Sample[]) => list.reduce((sum, sample) => sum + sample.cpu, 0);
  const [base = []] = samples.values();
  const rows = [...samples].map(([name, list]) => {
    const ofRounds = ratios.get(name) ?? [];
    const range = [Math.min(...ofRounds), Math.max(...ofRounds)].map((ratio) => ratio.toFixed(2)).join(' to ');
    const of = (value: (sample: Sample) => number) => median(list.map(value));
    const faults = list.flatMap((sample) => fault(sample.result, bitrate, window) ?? []);
    return [
      name,
      `${(total(list) / total(base)).toFixed(2)} (${range})`,
      (of((sample) => sample.cpu / viewers) * 1e6).toFixed(1),
      `${of((sample) => sample.result.latency_ms.p50).toFixed(0)} / ${of((sample) => sample.result.latency_ms.p99).toFixed(0)}`,
      mebibytes(of((sample) => sample.residentBytes)),
      faults.length === 0 ? 'yes' : faults.join('; '),
    ];
  });
  const header = [
    '',
    'CPU, bare loop = 1 (least and most of a round)',
    'µs of CPU per viewer and second',
    'latency p50 / p99 (ms)',
    'RSS',
    'correct',
  ];
  return `### ${viewers} viewers, windows of ${window} ms\n\n${markdownTable(header, rows)}`;
}

/** ms */
const crowdWindow = 350;

async function crowd(count: number): Promise<string> {
  const rows: string[][] = [];
  for (const starter of [bareLoop, weir]) {
    const sample = await measure(starter, crowdWindow, count, seconds);
    if (sample === undefined) continue;
    const { result } = sample;
    rows.push([
      sample.name,
      percent(sample.cpu),
      `${((result.bytes_per_second * 8) / 1e9).toFixed(1)} Gbit/s`,
      String(result.missing_frames),
      `${result.latency_ms.p50.toFixed(0)} / ${result.latency_ms.p99.toFixed(0)}`,
      mebibytes(sample.residentBytes),
      fault(result, bitrate, crowdWindow) ?? 'yes',
    ]);
  }
  const header = ['', 'share of one core', 'delivered', 'frames missing', 'latency p50 / p99 (ms)', 'RSS', 'correct'];
  return `### ${count} viewers, windows of ${crowdWindow} ms\n\n${markdownTable(header, rows)}`;
}

compile();
const windows = options.windows.split(',').map(Number);
await proveCorrect(windows[0] ?? 350);
const tables: string[] = [];
for (const window of windows) tables.push(await compare(window));
if (Number(options.crowd) > 0) tables.push(await crowd(Number(options.crowd)));
process.stdout.write(`${tables.join('\n\n')}\n`);
