// An edge in a process of its own that tells how it is: memory after a collection, and what keeps it running. Each
// line of standard input is a list of endpoint addresses to register, or `?` for a report.

import { createInterface } from 'node:readline';
import { endpoint, startDataPlane } from './data-plane.js';
import { collectGarbage } from './garbage.js';

export interface SoakReport {
  readonly residentBytes: number;
  readonly heapBytes: number;
  /** Buffers outside of the heap. */
  readonly bufferBytes: number;
  readonly relays: number;
  readonly failovers: number;
  /** Sockets, servers, timers, requests: what Node knows to be open, by kind. */
  readonly open: Readonly<Record<string, number>>;
}

const weir = await startDataPlane({
  relay: { linger: '500ms', stallTimeout: '2s' },
  upstream: { keepAliveTimeout: '500ms' },
});
process.stdout.write(`${weir.port}\n`);

function report(): SoakReport {
  collectGarbage();
  const memory = process.memoryUsage();
  const open: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) open[kind] = (open[kind] ?? 0) + 1;
  const relays = weir.plane.relays();
  return {
    residentBytes: memory.rss,
    heapBytes: memory.heapUsed,
    bufferBytes: memory.arrayBuffers,
    relays: relays.length,
    failovers: relays.reduce((sum, relay) => sum + relay.failovers, 0),
    open,
  };
}

const warnings: string[] = [];
process.on('warning', (warning) => warnings.push(`${warning.name}: ${warning.message}`));
createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line === '?') process.stdout.write(`${JSON.stringify({ ...report(), warnings })}\n`);
    else weir.register(...(JSON.parse(line) as string[]).map((address) => endpoint('news', address)));
  })
  .on('close', () => process.exit(0));
