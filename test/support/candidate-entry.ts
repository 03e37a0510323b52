// A supervisor that stands for a leader by way of a registry process, as an edge does, and acts as often as it can while it leads.

import { appendFileSync } from 'node:fs';
import { standForSite } from '../../src/fleet/site-leader.js';
import { silentLogger } from '../../src/log.js';
import { createProcessRegistry } from '../../src/registry/registry-process.js';
import { quietLogger, registrySettings } from './fleet-sessions.js';
import { RecordingSink } from './recording-sink.js';

const [servers = '', log = '', name = ''] = process.argv.slice(2);
const settings = { ...registrySettings(servers), sessionTimeout: 3_000 };
const registry = createProcessRegistry(settings, quietLogger, { fleetRoot: '/weir-leaders' });
const running = registry.run(new RecordingSink(), new AbortController().signal);
if (registry.fleet === undefined) throw new Error('no fleet');
const options = { session: registry.fleet, root: '/weir-leaders', site: 'here', name, logger: silentLogger };
const election = standForSite(options);

const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * Each act is that of a leader: nobody else may act at the same time. Between them it waits without an event loop, so that what
 * it does first after it stood still is an act, if it may.
 */
function act(): void {
  for (let i = 0; i < 20; i++) {
    const { token } = election;
    if (token !== undefined)
      appendFileSync(log, `${token} ${process.hrtime.bigint()} ${process.pid} ${registry.pid}\n`);
    Atomics.wait(pause, 0, 0, 5);
  }
  setTimeout(act, 1);
}
act();
process.on('disconnect', () => process.exit(0));
await running;
