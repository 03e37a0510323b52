// `npm run soak:plan [-- SECONDS]`: two edges of a fleet and a strict player who goes to the other one with every request, through
// switches, a killed origin, a killed edge, a killed worker, and ZooKeeper away for 20 s. Ends with 1 when the edges did not show the same.

import { setTimeout as sleep } from 'node:timers/promises';
import { PlanStage } from './support/plan-stage.js';

const seconds = Number(process.argv[2] ?? 300);
const awayMs = 20_000;

const stage = await PlanStage.start({ workers: 1, segmentSeconds: 2, origins: 3 });
const { client } = stage;

/** A line of the result. */
function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function say(what: string): void {
  console.error(
    `${(performance.now() / 1000).toFixed(1)} s: ${what}; player at ${client.highest}, ${client.faults.length} faults`,
  );
}

const happenings: [what: string, run: () => Promise<void>][] = [
  [
    'the endpoint is out of the registry',
    async () => {
      const origin = stage.present;
      await stage.unregister(origin);
      await sleep(10_000);
      await stage.register(origin);
    },
  ],
  [
    'an origin is killed',
    async () => {
      const origin = stage.present;
      await origin.close();
      await sleep(10_000);
      await stage.unregister(origin);
      await origin.start();
      await stage.register(origin);
    },
  ],
  ['an edge is killed, and started anew', () => stage.restart(0)],
  [
    'ZooKeeper stands still for 20 s',
    async () => {
      stage.zookeeper.freeze();
      await sleep(awayMs);
      stage.zookeeper.thaw();
    },
  ],
  [
    'the endpoint is out of the registry again',
    async () => {
      const origin = stage.present;
      await stage.unregister(origin);
      await sleep(10_000);
      await stage.register(origin);
    },
  ],
  [
    'a worker is killed',
    async () => {
      stage.killWorker(1);
      await sleep(5_000);
    },
  ],
];

try {
  stage.play();
  await stage.seen(5);
  const endsAt = performance.now() + seconds * 1000;
  const eachMs = (seconds * 1000) / (happenings.length + 1);
  for (const [what, run] of happenings) {
    const next = performance.now() + eachMs;
    say(what);
    await run();
    await sleep(Math.max(0, next - performance.now()));
  }
  await sleep(Math.max(0, endsAt - performance.now()));
  await stage.rest();
  say('over');
  const { requests, segments, missing, skipped, faults, refused, known, longestStandstillMs } = client;
  print(`${requests} requests, ${known.size} segments listed, ${segments} fetched from the other edge`);
  print(`not 200: playlists ${JSON.stringify([...refused])}, segments ${JSON.stringify(missing)}`);
  print(`numbers that no edge listed: ${JSON.stringify(skipped)}`);
  print(`discontinuities: ${known.get(client.highest)?.discontinuitySequence}`);
  print(`longest time without a new segment: ${Math.round(longestStandstillMs)} ms`);
  for (const fault of faults.slice(0, 50)) print(fault);
  process.exitCode = faults.length + skipped.length === 0 ? 0 : 1;
} finally {
  await stage.close();
}
