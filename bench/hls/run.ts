// `npm run bench:hls`: CPU per cached playlist and per cached 1 MB segment: weir beside nginx with proxy_cache, nginx with
// proxy_pass, and http-proxy, each on the same one core, in one run, with wrk on the other. First every contestant is proven
// to deliver the right bytes, and weir to have fetched each object once. Printed are ratios: absolute times of a shared
// machine say little.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/package.js';
import { type BenchProcess, node, start, stopAll } from '../support/process.js';
import { markdownTable, median } from '../support/table.js';
import { startWeir } from '../support/weir.js';
import { startNginx } from './nginx.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    warmup: { type: 'string', default: '6' },
    connections: { type: 'string', default: '32' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.error('npm run bench:hls -- [--rounds 5] [--seconds 3] [--warmup 6] [--connections 32]');
  process.exit(0);
}
for (const program of ['wrk', 'nginx', 'taskset']) {
  if (spawnSync('which', [program]).status === 0) continue;
  console.error(`This benchmark needs ${program}. On Debian: apt-get install wrk nginx-light util-linux`);
  process.exit(1);
}

const contestantCore = 0;
const loadCore = 1;
const reference = 'nginx proxy_cache';

interface Contestant {
  readonly name: string;
  readonly playlist: string;
  readonly segment: string;
  readonly process: BenchProcess;
}
interface Sample {
  readonly rate: number;
  readonly cpu: number;
}

async function startWeirBefore(origin: string): Promise<Contestant> {
  const options = { settings: ['workers=0'], channel: 'news', origin, core: contestantCore };
  const { url, process } = await startWeir(options);
  const playlist = `${url}/live/news.m3u8`;
  const text = await (await fetch(playlist)).text();
  const first = text.split('\n').find((line) => line !== '' && !line.startsWith('#'));
  if (first === undefined) throw new Error(`weir lists nothing: ${text}`);
  return { name: 'weir', playlist, segment: new URL(first, playlist).href, process };
}

async function startContestants(): Promise<{ contestants: Contestant[]; origin: string }> {
  const origin = await start(node(`${packageRoot}dist/bench/proxy/origin.js`), loadCore);
  const address = `127.0.0.1:${origin.firstLine}`;
  const cache = await startNginx(address, true, contestantCore);
  const pass = await startNginx(address, false, contestantCore);
  const peer = await start(
    node(`${packageRoot}dist/bench/proxy/http-proxy-peer.js`, `http://${address}`),
    contestantCore,
  );
  const named = (name: string, url: string, process: BenchProcess): Contestant => {
    return { name, playlist: `${url}/live/news.m3u8`, segment: `${url}/live/news-100.ts`, process };
  };
  const contestants = [
    named(reference, cache.url, cache),
    named('nginx proxy_pass', pass.url, pass),
    named('http-proxy', `http://127.0.0.1:${peer.firstLine}`, peer),
    await startWeirBefore(`http://${address}`),
  ];
  return { contestants, origin: `http://${address}` };
}

async function bytes(url: string): Promise<Buffer> {
  const answer = await fetch(url);
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

const digest = (body: Buffer) => createHash('sha256').update(body).digest('hex');

async function proveCorrect(contestants: readonly Contestant[], origin: string): Promise<void> {
  const segment = digest(await bytes(`${origin}/live/news-100.ts`));
  const playlist = (await bytes(`${origin}/live/news.m3u8`)).toString();
  for (const { name, ...urls } of contestants) {
    // Twice: fetched, and from the cache.
    for (let time = 0; time < 2; time += 1) {
      if (digest(await bytes(urls.segment)) !== segment) throw new Error(`${name} delivers another segment`);
      // weir's URIs carry a pin.
      const text = (await bytes(urls.playlist)).toString().replace(/\?weir=[^\n]*/g, '');
      if (text !== playlist) throw new Error(`${name} delivers another playlist:\n${text}`);
    }
  }
}

function measure(contestant: Contestant, url: string, seconds: number): Sample {
  const before = contestant.process.cpuSeconds();
  const words = ['-c', String(loadCore), 'wrk', '-t1', `-c${options.connections}`, `-d${seconds}s`, url];
  const { stdout, status } = spawnSync('taskset', words, { encoding: 'utf8' });
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  const elapsed = Number(/requests in ([\d.]+)s/.exec(stdout)?.[1]);
  if (status !== 0 || !(requests > 0) || /Non-2xx|Socket errors/.test(stdout)) {
    throw new Error(`${contestant.name}: wrk says:\n${stdout}`);
  }
  return { rate: requests / elapsed, cpu: (contestant.process.cpuSeconds() - before) / requests };
}

async function main(): Promise<void> {
  const { contestants, origin } = await startContestants();
  await proveCorrect(contestants, origin);
  console.error('every contestant delivers the right bytes');
  const rows: string[][] = [];
  for (const object of ['playlist', 'segment'] as const) {
    const samples = new Map<string, Sample[]>(contestants.map(({ name }) => [name, []]));
    for (let round = 0; round <= Number(options.rounds); round += 1) {
      for (const contestant of contestants) {
        // Round 0 warms up the compilers and the connections.
        const seconds = Number(round === 0 ? options.warmup : options.seconds);
        const sample = measure(contestant, contestant[object], seconds);
        if (round > 0) samples.get(contestant.name)?.push(sample);
      }
      console.error(`${object}: round ${round} of ${options.rounds}`);
    }
    const middle = (name: string, value: (sample: Sample) => number) => median((samples.get(name) ?? []).map(value));
    for (const { name } of contestants) {
      const ratio = (to: string, value: (sample: Sample) => number) =>
        (middle(name, value) / middle(to, value)).toFixed(2);
      rows.push([
        object === 'playlist' ? 'playlist, under 1 KB' : 'segment, 1 MB',
        name,
        ratio(reference, ({ cpu }) => cpu),
        ratio('nginx proxy_pass', ({ cpu }) => cpu),
        ratio('http-proxy', ({ cpu }) => cpu),
        ratio(reference, ({ rate }) => rate),
      ]);
    }
  }
  const cpu = 'CPU a request ÷';
  const header = [
    'object',
    'contestant',
    `${cpu} proxy_cache`,
    `${cpu} proxy_pass`,
    `${cpu} http-proxy`,
    'requests/s ÷ proxy_cache',
  ];
  process.stdout.write(`${markdownTable(header, rows)}\n`);
}

try {
  await main();
} finally {
  await stopAll();
}
