// `npm run bench:registry`: what an edge with very many endpoints costs, before a real ZooKeeper, beside the bare client in the
// same run. The sessions and the server share the machine: times are to be read as ratios.

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/package.js';
import { startZooKeeper } from '../../test/support/zookeeper.js';
import { stopAll } from '../support/process.js';
import { markdownTable } from '../support/table.js';
import type { Registration } from './client.js';
import { type ProbedEdge, startProbedEdge } from './edge.js';
import { Session } from './session.js';

const { values: options } = parseArgs({
  options: {
    endpoints: { type: 'string', default: '10000' },
    channels: { type: 'string', default: '1000' },
    weir: { type: 'string', default: packageRoot },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.error('npm run bench:registry -- [--endpoints 10000] [--channels 1000] [--weir DIRECTORY_OF_ANOTHER_BUILD]');
  process.exit(0);
}
const endpoints = Number(options.endpoints);
const channels = Number(options.channels);
const root = options.weir.endsWith('/') ? options.weir : `${options.weir}/`;
/** One session owns no more than this: a server can hardly start again with more. */
const mostOwned = 20_000;
const endpointsOfServer = 500;

const rows: [string, string][] = [];
const tell = (what: string, value: string) => {
  rows.push([what, value]);
  console.error(`${what}: ${value}`);
};
const ms = (value: number) => `${value < 10 ? value.toFixed(3) : value.toFixed(0)} ms`;
const mib = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(0)} MiB`;

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(part * sorted.length) - 1] ?? Number.NaN;
}

/** Endpoint i of n: spread over the channels, so many at one server. */
function registrationOf(i: number): Registration {
  const server = Math.floor(i / endpointsOfServer);
  return { channel: `/channels/c${i % channels}`, address: `10.1.${server >> 8}.${server & 255}:80` };
}

async function openSessions(address: string): Promise<Session[]> {
  const count = Math.max(2, Math.ceil(endpoints / mostOwned));
  const share = Math.ceil(endpoints / count);
  const all = Array.from({ length: endpoints }, (_, i) => registrationOf(i));
  return await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const session = await Session.open(address);
      await session.register(all.slice(i * share, (i + 1) * share));
      return session;
    }),
  );
}

/** A number in the metrics of the edge. */
async function metric(edge: ProbedEdge, name: string): Promise<number> {
  const text = await (await fetch(`${edge.admin}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1] ?? Number.NaN,
  );
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const began = performance.now(); !(await holds()); await sleep(100)) {
    if (performance.now() - began > 120_000) throw new Error(`waited in vain for ${what}`);
  }
}

const registered = async (edge: ProbedEdge) => await metric(edge, 'weir_endpoints{state="registered"}');

/** By the clock, and in brackets the CPU time in it. */
function pause(what: string, { pause, work }: Awaited<ReturnType<typeof during>>): void {
  const both = (process: 'worker' | 'supervisor') => `${ms(pause[process])} (${ms(work[process])})`;
  tell(`longest pause, ${what}: worker, supervisor`, `${both('worker')}, ${both('supervisor')}`);
}

/** Pauses and CPU of worker and supervisor in ms while something happens. */
async function during(edge: ProbedEdge, happens: () => Promise<unknown>) {
  const before = [await edge.supervisor.read(), await edge.worker.read()];
  await happens();
  const after = [await edge.supervisor.read(), await edge.worker.read()];
  const cpu = (i: number) => (after[i]?.cpu ?? 0) - (before[i]?.cpu ?? 0);
  return {
    cpu: { supervisor: cpu(0), worker: cpu(1) },
    pause: { supervisor: after[0]?.longestPause ?? 0, worker: after[1]?.longestPause ?? 0 },
    work: { supervisor: after[0]?.longestWork ?? 0, worker: after[1]?.longestWork ?? 0 },
  };
}

const zookeeper = await startZooKeeper();
try {
  const sessions = await openSessions(zookeeper.address);
  const [writer, ...others] = sessions;
  if (writer === undefined) throw new Error('unreachable');
  tell('endpoints × channels', `${endpoints} × ${channels}`);

  const raw = await Session.open(zookeeper.address);
  const bare = await raw.read('/channels');
  const empty = await startProbedEdge(root, zookeeper.address, '/nothing');
  const emptyCpu = empty.registryCpu();
  await empty.stop();
  const edge = await startProbedEdge(root, zookeeper.address, '/channels');
  const readCpu = edge.registryCpu() - emptyCpu;
  tell('full read, CPU: bare client, registry process', `${ms(bare.cpu)}, ${ms(readCpu)}`);
  tell('full read, CPU, registry process ÷ bare client', (readCpu / bare.cpu).toFixed(2));
  tell('full read, bare client', ms(bare.time));
  tell('weir ready after; before an empty tree', `${ms(edge.readyAfter)}; ${ms(empty.readyAfter)}`);
  tell('full read by the clock, weir ÷ bare client', ((edge.readyAfter - empty.readyAfter) / bare.time).toFixed(2));
  const [supervisor, worker] = [await edge.supervisor.read(), await edge.worker.read()];
  tell(
    'resident: supervisor, registry process, worker',
    [supervisor.resident, edge.registryResident(), worker.resident].map(mib).join(', '),
  );

  const quiet = await during(edge, () => sleep(2_000));
  pause('nothing happens', quiet);

  const [rate, seconds] = [1_000, 5];
  const [probed] = await writer.register([]);
  if (probed === undefined) throw new Error('unreachable');
  const channel = probed.split('/')[2];
  const delays: { bare: number; weir: number }[] = [];
  let reports = 0;
  const flow = await during(edge, async () => {
    reports = await writer.flow(rate, seconds);
    // What is gathered is published.
    await sleep(200);
  });
  const cost = (busy: number, idle: number) => ms(Math.max(0, busy - idle * 2.5) / reports);
  tell(
    `CPU a report: supervisor, worker (${reports} reports)`,
    `${cost(flow.cpu.supervisor, quiet.cpu.supervisor)}, ${cost(flow.cpu.worker, quiet.cpu.worker)}`,
  );
  const flowing = writer.flow(rate, 17);
  // Who was idle until now catches up.
  await sleep(2_000);
  for (let i = 1; i <= 300; i += 1) {
    const load = i / 1_000;
    const written = await writer.report(load);
    const weir = (async () => {
      for (;;) {
        const answer = await fetch(`${edge.admin}/api/v1/channels/${channel}/explain`);
        const { endpoints: shown } = (await answer.json()) as { endpoints: { id: string; load: number }[] };
        if (shown.some((one) => one.id.startsWith(probed) && one.load === load)) break;
      }
      return performance.timeOrigin + performance.now() - written;
    })();
    delays.push({ bare: (await raw.seen(probed, load)) - written, weir: await weir });
  }
  await flowing;
  for (const part of [0.5, 0.99]) {
    const [bareDelay, weirDelay] = [
      quantile(
        delays.map((one) => one.bare),
        part,
      ),
      quantile(
        delays.map((one) => one.weir),
        part,
      ),
    ];
    tell(
      `report to pick while ${rate} reports a second flow, p${part * 100}: bare client, weir`,
      `${ms(bareDelay)}, ${ms(weirDelay)}`,
    );
  }

  const server = await Session.open(zookeeper.address);
  const before = await registered(edge);
  const arrives = await during(edge, async () => {
    const address = '10.9.9.9:80';
    await server.register(Array.from({ length: endpointsOfServer }, (_, i) => ({ ...registrationOf(i), address })));
    await until('the new server', async () => (await registered(edge)) === before + endpointsOfServer);
  });
  const vanishes = await during(edge, async () => {
    await server.end();
    await until('its end', async () => (await registered(edge)) === before);
  });
  pause(`a server with ${endpointsOfServer} endpoints comes`, arrives);
  pause('it vanishes', vanishes);

  const back = await during(edge, async () => {
    await zookeeper.kill();
    await until('weir to notice', async () => (await metric(edge, 'weir_registry_state{state="stale"}')) === 1);
    await zookeeper.restart();
    await until('weir to be back', async () => (await metric(edge, 'weir_registry_state{state="live"}')) === 1);
    await sleep(2_000);
  });
  pause('ZooKeeper is restarted, all is read again', back);

  const [last] = others.splice(-1);
  const known = await registered(edge);
  const ends = await during(edge, async () => {
    await last?.end();
    await until('the end of a session', async () => (await registered(edge)) < known);
    await sleep(2_000);
  });
  pause(`a session ends with ${known - (await registered(edge))} endpoints`, ends);

  const left = await registered(edge);
  const drops = await during(edge, async () => {
    await Promise.all([writer, ...others].map((session) => session.end()));
    await until('the mass drop', async () => (await registered(edge)) === 0);
    await sleep(3_000);
  });
  const kept = await metric(edge, 'weir_endpoints{state="last_resort"}');
  pause(`${left} vanish at once, ${kept} are kept as last resorts`, drops);
  const [s, w] = [await edge.supervisor.read(), await edge.worker.read()];
  tell(
    'resident in the end: supervisor, registry process, worker',
    [s.resident, edge.registryResident(), w.resident].map(mib).join(', '),
  );
  await raw.end();
  await edge.stop();
  process.stdout.write(`${markdownTable(['what', 'measured'], rows)}\n`);
} finally {
  await stopAll();
  await zookeeper.stop();
}
