// The demo on free ports, for tests that end it in every way. Parameter: a ZooKeeper, or none for the embedded registry.

import { startConfiguredEdge } from '../../src/commands/edge.js';
import { untilAskedToEnd } from '../../src/commands/lifetime.js';
import { configSchema } from '../../src/config-schema.js';
import { runDemo } from '../../src/demo/demo.js';
import { createLogger } from '../../src/log.js';

const [, , zookeeper] = process.argv;
await untilAskedToEnd((signal) =>
  runDemo({
    ...(zookeeper === undefined ? {} : { zookeeper }),
    ports: { data: 0, admin: 0, page: 0, origins: 0 },
    restartMs: 6_000,
    signal,
    print: (line) => process.stdout.write(`${line}\n`),
    startEdge: (settings) => {
      const config = configSchema.parse(settings);
      return startConfiguredEdge(config, createLogger(config.log));
    },
  }),
);
