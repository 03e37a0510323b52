// `weir demo`: the edge, three simulated origins as processes of their own, and a page with players.

import type { ConfigInput } from '../config-schema.js';
import { freePort } from './free-port.js';
import { guide } from './guide.js';
import { type OriginEvent, OriginSupervisor } from './origin-supervisor.js';
import { startPageServer } from './page-server.js';
import { pause, printStatus, stamped } from './status.js';

export interface RunningEdge {
  readonly dataAddress: { readonly port: number };
  readonly adminAddress: { readonly port: number };
  close(): Promise<void>;
}

export interface DemoOptions {
  /** `HOST:PORT[,HOST:PORT…][/chroot]`; without it, the embedded registry. */
  readonly zookeeper?: string;
  /** Where players and the page are served; the admin API and the origins never leave 127.0.0.1. */
  readonly host: string;
  /** How long a killed origin stays away, in milliseconds. */
  readonly restartMs: number;
  /** Ends the demo. */
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
  readonly startEdge: (settings: ConfigInput) => Promise<RunningEdge>;
}

const loopback = '127.0.0.1';
const channels = ['news', 'sport', 'music'] as const;
/** How old the streams are at the start: long enough for a full playlist. */
const beganBeforeMs = 60_000;
/** Taken where they are free; otherwise any. */
const ports = { data: 8080, admin: 8081, page: 8000, firstOrigin: 9001 } as const;
/** Each packages on its own: its numbers start elsewhere, its segments are cut at other moments. */
const origins = [
  { name: 'origin-1', seed: 10, mediaSequenceBase: 1_000, delayMs: 0, flvTimestamps: 'stream' },
  { name: 'origin-2', seed: 20, mediaSequenceBase: 52_000, delayMs: 700, flvTimestamps: 'stream' },
  { name: 'origin-3', seed: 30, mediaSequenceBase: 7, delayMs: 1_300, flvTimestamps: 'connection' },
] as const;
const registrationPatienceMs = 5_000;

/**
 * Runs until `signal` aborts and resolves when every process and listener it started is gone. Rejects when a part cannot
 * be started, with nothing left behind either.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { signal, print, zookeeper, host, restartMs } = options;
  const closers: (() => Promise<void> | void)[] = [];
  try {
    const hostInUrl = host.includes(':') ? `[${host}]` : host;
    const listen = `${hostInUrl}:${await freePort(host, ports.data)}`;
    const adminListen = `${loopback}:${await freePort(loopback, ports.admin)}`;
    const edge = await options.startEdge(edgeSettings(listen, adminListen, zookeeper));
    closers.push(() => edge.close());
    const adminAddress = `${loopback}:${edge.adminAddress.port}`;

    let quiet = true;
    const supervisors = await superviseOrigins(restartMs, originRegistry(adminAddress, zookeeper), (name, event) => {
      if (!quiet) print(stamped(eventLine(name, event)));
    });
    closers.push(async () => void (await Promise.all(supervisors.map((supervisor) => supervisor.stop()))));
    await Promise.all(supervisors.map((supervisor) => supervisor.start()));

    const page = await startPageServer({
      host,
      port: await freePort(host, ports.page),
      channels,
      dataPort: edge.dataAddress.port,
      adminAddress,
      origins: () => supervisors,
    });
    closers.push(() => page.close());
    const reached = host === '0.0.0.0' || host === '::' ? loopback : hostInUrl;
    print(
      guide({
        page: `http://${reached}:${page.port}`,
        data: `http://${reached}:${edge.dataAddress.port}`,
        admin: `http://${adminAddress}`,
        channels,
        registry: zookeeper === undefined ? 'embedded' : `ZooKeeper at ${zookeeper}`,
        origins: supervisors,
        restartSeconds: restartMs / 1000,
      }),
    );
    quiet = false;
    const missing = await unregisteredAfter(registrationPatienceMs, supervisors, signal);
    if (missing.length > 0 && !signal.aborted) {
      const hint = zookeeper === undefined ? 'the edge grants no leases' : `is a ZooKeeper at ${zookeeper}?`;
      print(stamped(`not registered yet: ${missing.join(', ')}; ${hint}`));
    }
    await printStatus(adminAddress, channels[0], supervisors, print, signal);
  } finally {
    for (const close of closers) await close();
  }
}

async function superviseOrigins(
  restartMs: number,
  registry: NonNullable<ConfigInput['registry']>,
  observe: (name: string, event: OriginEvent) => void,
): Promise<OriginSupervisor[]> {
  const epoch = Date.now() - beganBeforeMs;
  const supervisors: OriginSupervisor[] = [];
  for (const [index, { delayMs, ...origin }] of origins.entries()) {
    const port = await freePort(loopback, ports.firstOrigin + index);
    const settings = { ...origin, channels: [...channels], host: loopback, port, epoch: epoch + delayMs, registry };
    supervisors.push(new OriginSupervisor(settings, restartMs, (event) => observe(origin.name, event)));
  }
  return supervisors;
}

/** Waits until every origin is registered, at most `patience` ms. Resolves with the names of those that are not. */
async function unregisteredAfter(
  patience: number,
  supervisors: readonly OriginSupervisor[],
  signal: AbortSignal,
): Promise<string[]> {
  const missing = () => supervisors.filter(({ registered }) => !registered).map(({ name }) => name);
  const deadline = performance.now() + patience;
  while (missing().length > 0 && performance.now() < deadline && !signal.aborted) await pause(100, signal);
  return missing();
}

function edgeSettings(listen: string, adminListen: string, zookeeper: string | undefined): ConfigInput {
  return {
    listen,
    // There is little to serve, and one process is easier to explain.
    workers: 0,
    admin: { listen: adminListen },
    registry: zookeeper === undefined ? { kind: 'embedded' } : { kind: 'zookeeper', zookeeper: { servers: zookeeper } },
    log: { level: 'warn', requests: false },
  };
}

/** Where and how the origins register themselves. */
function originRegistry(admin: string, zookeeper: string | undefined): NonNullable<ConfigInput['registry']> {
  if (zookeeper === undefined) return { kind: 'embedded', embedded: { url: `http://${admin}` } };
  // As short as a server's usual tick allows, so that a killed origin is soon out.
  return { kind: 'zookeeper', zookeeper: { servers: zookeeper, sessionTimeout: '4s' } };
}

function eventLine(name: string, event: OriginEvent): string {
  if (event.kind === 'listening') return `${name} runs again at http://${event.address}: kill -9 ${event.pid}`;
  return `${name} ended (PID ${event.pid}, ${event.how}); it is started again in ${event.restartMs / 1000} s`;
}
