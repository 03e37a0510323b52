// `npm run attack [-- ROUNDS [SCALE [PART-OF-A-NAME]]]`: every attack of a player and every hostile origin, again and again,
// beside well-behaved viewers. Prints what was noticed, what the origins were asked and what the workers hold; ends with 1 when somebody noticed something.

import { attacks } from './support/harm/attacks.js';
import { provoke, startHostileOrigin } from './support/harm/hostile-origin.js';
import { maxWorkerMiB, Stage } from './support/harm/stage.js';

const [rounds = '3', scale = '1', part = ''] = process.argv.slice(2);

/** True when nobody noticed anything. */
async function act(stage: Stage, number: number): Promise<boolean> {
  const before = await stage.counts();
  const startedAt = performance.now();
  const statuses = await stage.attack(number, Number(scale));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const noticed = await stage.noticed();
  const after = await stage.counts();
  const asked = (['streams', 'playlists', 'objects'] as const).map((kind) => `${after[kind] - before[kind]} ${kind}`);
  const memory = stage.memory();
  const answers = JSON.stringify(statuses);
  console.error(`  ${seconds} s; answers ${answers}; origins saw ${asked.join(', ')}; ${memory.join(' and ')} MiB`);
  for (const what of noticed) console.error(`    noticed: ${what}`);
  return noticed.length === 0 && memory.every((held) => held <= maxWorkerMiB);
}

/** The same with players who ask for a channel of a hostile origin. */
async function meet(stage: Stage, name: string): Promise<boolean> {
  const origin = await startHostileOrigin(`${stage.edge.admin}/api/v1/snapshot`);
  try {
    const shown = await provoke(stage, origin, [name]);
    const noticed = [...shown, ...(await stage.viewersNoticed())];
    const memory = stage.memory();
    console.error(`  ${memory.join(' and ')} MiB`);
    for (const what of noticed) console.error(`    noticed: ${what}`);
    return noticed.length === 0 && memory.every((held) => held <= maxWorkerMiB);
  } finally {
    origin.close();
  }
}

const { playlists, streams, close } = await startHostileOrigin('');
close();
const acts: (readonly [string, (stage: Stage) => Promise<boolean>])[] = [
  ...attacks.map(({ name }, number) => [name, (stage: Stage) => act(stage, number)] as const),
  ...[...playlists, ...streams].map(
    (name) => [`hostile origin: ${name}`, (stage: Stage) => meet(stage, name)] as const,
  ),
];
let stage = await Stage.open();
const failed: string[] = [];
try {
  console.error(`viewers play at ${stage.edge.players}; workers hold ${stage.memory().join(' and ')} MiB`);
  for (let round = 1; round <= Number(rounds); round += 1) {
    for (const [name, run] of acts) {
      if (!name.includes(part)) continue;
      console.error(`${round}. ${name}`);
      if (await run(stage).catch((error: unknown) => console.error(`    ${error}`))) continue;
      failed.push(name);
      // The next one begins with viewers to whom nothing has happened.
      await stage.close();
      stage = await Stage.open();
    }
  }
} finally {
  await stage.close();
}
console.error(failed.length === 0 ? 'Nobody noticed anything.' : `Noticed: ${failed.join('; ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
