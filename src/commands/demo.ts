// `weir demo`: everything at once on one machine, to see it work.

import type { Command } from 'commander';
import { loadConfig } from '../config.js';
import { runDemo } from '../demo/demo.js';
import { createLogger } from '../log.js';
import { startConfiguredEdge } from './edge.js';
import { print, untilAskedToEnd } from './lifetime.js';
import { append, number } from './options.js';

interface Flags {
  readonly zookeeper?: string;
  readonly host: string;
  readonly restartAfter: number;
  readonly set?: readonly string[];
}

const examples = `
Examples:
  weir demo
  weir demo --zookeeper 127.0.0.1:2181
  weir demo --host 0.0.0.0 --set balancer.policy=round-robin

Starts the edge, three simulated origins and a page with players, and says what to open and what to kill. Takes ports 8000,
8080, 8081 and 9001 to 9003 where they are free, else others. Ctrl-C ends all of it.`;

async function demo({ zookeeper, host, restartAfter, set = [] }: Flags): Promise<void> {
  // Wrong settings are reported before anything starts.
  loadConfig({ sets: set });
  await untilAskedToEnd((signal) =>
    runDemo({
      ...(zookeeper === undefined ? {} : { zookeeper }),
      host,
      restartMs: restartAfter * 1000,
      signal,
      print,
      startEdge: (settings) => {
        const config = loadConfig({ presets: { origin: 'weir demo', settings }, sets: set });
        return startConfiguredEdge(config, createLogger(config.log));
      },
    }),
  );
}

/** Adds `weir demo` to the command line. */
export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('see it work: the edge, three simulated origins and a page with players')
    .option(
      '--zookeeper <servers>',
      'register there instead of in the embedded registry: HOST:PORT[,HOST:PORT…][/chroot]',
    )
    .option('--host <address>', 'where players and the page are served', '127.0.0.1')
    .option('--restart-after <seconds>', 'how long a killed origin stays away', number(0, 86_400), 10)
    .option('--set <key=value>', 'any setting of the edge; may be repeated', append)
    .addHelpText('after', examples)
    .action(demo);
}
