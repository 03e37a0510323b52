// Where attacks happen: an edge of two workers as users run it, two channels at two origins each, and well-behaved viewers
// of every protocol beside. After each act it says what a viewer, an origin or an operator would have noticed.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { packageRoot } from '../../../src/package.js';
import { waitFor } from '../wait.js';
import { serveWeir, type WeirProcess } from '../weir.js';
import { knownToAll, register, scraped, workersOf } from '../workers.js';
import { attacks } from './attacks.js';
import { Audience } from './audience.js';
import type { OriginCounts } from './origin-entry.js';

const folder = `${packageRoot}dist/test/support/harm/`;
export const channels = ['news', 'sports'] as const;
/** Viewers of each protocol and channel. */
const viewers = 2;
/** MiB that a worker may hold: its base, the cache below, and what relays and sessions may keep for strangers. */
export const maxWorkerMiB = 400;
const cacheSize = '48MiB';

/** Requests at all origins. */
export type Counts = { -readonly [K in keyof OriginCounts]: OriginCounts[K] };

export class Stage {
  readonly edge: WeirProcess;
  readonly audience: Audience;
  readonly #origins: readonly CountingOrigin[];
  readonly #children = new Set<ChildProcess>();

  private constructor(edge: WeirProcess, origins: readonly CountingOrigin[]) {
    this.edge = edge;
    this.#origins = origins;
    this.audience = new Audience(edge.players, channels, viewers);
  }

  /** Resolves when all viewers play. */
  static async open(...settings: string[]): Promise<Stage> {
    const origins = await Promise.all(['a', 'bb'].map((name) => CountingOrigin.start(name)));
    const edge = await serveWeir(
      ...['--registry', 'embedded', '--set', 'workers=2', '--set', 'log.requests=false'],
      ...['--set', `hls.cacheSize=${cacheSize}`, ...settings],
    );
    await registerAll(edge, origins);
    for (const channel of channels) await knownToAll(edge, channel);
    const stage = new Stage(edge, origins);
    await stage.audience.goOn();
    return stage;
  }

  /** Runs an attack to its end, 120 s at most, and gives the statuses of its answers. */
  async attack(number: number, scale = 1): Promise<Record<string, number>> {
    const words = [`${folder}attacker-entry.js`, String(number), this.edge.players, channels[0], String(scale)];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.add(child);
    const deadline = setTimeout(() => child.kill('SIGKILL'), 120_000 * scale);
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(deadline);
    this.#children.delete(child);
    if (code !== 0) throw new Error(`the attack "${attacks[number]?.name}" did not end well: ${code}`);
    return JSON.parse(output) as Record<string, number>;
  }

  /** Requests at the origins so far. */
  async counts(): Promise<Counts> {
    const sum: Counts = { streams: 0, playlists: 0, objects: 0, open: 0 };
    for (const counts of await Promise.all(this.#origins.map((origin) => origin.counts()))) {
      for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += counts[key];
    }
    return sum;
  }

  /** What viewers noticed, and workers that ended. */
  async viewersNoticed(): Promise<string[]> {
    await registerAll(this.edge, this.#origins);
    await this.audience.goOn();
    return [...this.audience.problems(), ...(await this.#counted('weir_worker_exits_total'))];
  }

  /** What anybody noticed: viewers, and endpoints that were ejected or left. */
  async noticed(): Promise<string[]> {
    return [
      ...(await this.viewersNoticed()),
      ...(await this.#counted('weir_ejections_total')),
      ...(await this.#leftEndpoints()),
      ...(await this.#counted('weir_relay_failovers_total')),
    ];
  }

  /** Sessions that left an endpoint for any cause but a better score: that is the balancer's choice, and no fault. */
  async #leftEndpoints(): Promise<string[]> {
    const all = await scraped(this.edge, 'weir_hls_switches_total');
    const better = await scraped(this.edge, 'weir_hls_switches_total', { cause: 'score' });
    return all === better ? [] : [`${all - better} HLS sessions left their endpoint`];
  }

  async #counted(name: string): Promise<string[]> {
    const value = await scraped(this.edge, name);
    return value === 0 ? [] : [`${name} is ${value}`];
  }

  /** Resident memory of each worker, MiB. */
  memory(): number[] {
    return workersOf(this.edge).map((pid) => {
      const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      return Math.round(Number(kilobytes) / 1024);
    });
  }

  /** Resolves when the origins have no more pulls than the viewers of the stage need. */
  async calm(): Promise<void> {
    await waitFor(async () => (await this.counts()).open <= channels.length, {
      what: 'only the pulls that are needed',
    });
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await this.audience.stop();
    await this.edge.stop();
    for (const origin of this.#origins) origin.close();
  }
}

/** Also renews: a lease of five minutes outlives any act, but not all of them. */
async function registerAll(edge: WeirProcess, origins: readonly CountingOrigin[]): Promise<void> {
  for (const channel of channels) {
    for (const [i, { address }] of origins.entries()) await register(edge, channel, address, 0.1 + 0.3 * i);
  }
}

class CountingOrigin {
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, address: string) {
    this.#child = child;
    this.#lines = lines;
    this.address = address;
  }

  static async start(name: string): Promise<CountingOrigin> {
    const child = spawn(process.execPath, [`${folder}origin-entry.js`, name, ...channels], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = (createInterface({ input: child.stdout }) as Interface)[Symbol.asyncIterator]();
    const { value: address } = await lines.next();
    return new CountingOrigin(child, lines, address as string);
  }

  async counts(): Promise<OriginCounts> {
    this.#child.stdin?.write('counts\n');
    const { value } = await this.#lines.next();
    return JSON.parse(value as string) as OriginCounts;
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
