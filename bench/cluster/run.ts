// `npm run bench:cluster`: what workers bring, and what the hop between them costs. The load generator shares the machine:
// its part of the CPU is printed, since it bounds what can be seen.

import { parseArgs } from 'node:util';
import { stopAll } from '../support/process.js';
import { compareObjects } from './objects.js';
import { compareStreams } from './streams.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '32' },
    viewers: { type: 'string', default: '2000' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.error('npm run bench:cluster -- [--rounds 3] [--seconds 4] [--connections 32] [--viewers 2000]');
  process.exit(0);
}
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);

try {
  const objects = await compareObjects({ rounds, seconds, connections: Number(options.connections) });
  await stopAll();
  const streams = await compareStreams({ rounds, seconds, viewers: Number(options.viewers) });
  process.stdout.write(`${objects}\n\n${streams}\n`);
} finally {
  await stopAll();
}
