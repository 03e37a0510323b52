// Edges of a fleet with a real ZooKeeper and simulated origins, and the strict player that goes to another edge with every request.
// One run of it is a test; a long one, with more happening, is a program.

import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { HoppingClient } from './plan-client.js';
import { SimulatedPackager } from './simulated-packager.js';
import { waitFor } from './wait.js';
import { serveWeir, type WeirProcess } from './weir.js';
import { startZooKeeper, type ZooKeeperServer, zkCli } from './zookeeper.js';

export const playlist = '/live/news.m3u8';
/** Between two requests of the player, in ms. */
const askEveryMs = 120;

interface StagedEdge {
  weir: WeirProcess;
  /** Another one for each start. */
  run: string;
  /** False while it is started anew. */
  isThere: boolean;
}

export interface StageOptions {
  readonly workers: number;
  /** Seconds a segment. */
  readonly segmentSeconds: number;
  readonly origins: number;
}

export class PlanStage {
  readonly client: HoppingClient;
  readonly edges: StagedEdge[] = [];
  readonly origins: SimulatedPackager[] = [];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #options: StageOptions;
  readonly #timers: NodeJS.Timeout[] = [];
  #runs = 0;
  #isAsking = false;
  #asking: Promise<void> | undefined;

  private constructor(
    readonly zookeeper: ZooKeeperServer,
    options: StageOptions,
  ) {
    this.#options = options;
    this.client = new HoppingClient(playlist, this.#agent);
  }

  static async start(options: StageOptions): Promise<PlanStage> {
    const stage = new PlanStage(await startZooKeeper(), options);
    try {
      await stage.#begin();
    } catch (error) {
      await stage.close();
      throw error;
    }
    return stage;
  }

  async #begin(): Promise<void> {
    const { segmentSeconds, origins } = this.#options;
    for (let index = 0; index < origins; index += 1) {
      const name = `origin${index}`;
      const origin = new SimulatedPackager({
        name,
        first: 100 + 5_000 * index,
        duration: segmentSeconds,
        segmentName: (sequence) => `news-${name}-${sequence}.ts`,
      });
      this.origins.push(await origin.start());
      const timer = setTimeout(
        () => this.#timers.push(setInterval(() => origin.grow(), segmentSeconds * 1000)),
        (index * segmentSeconds * 1000) / origins,
      );
      this.#timers.push(timer);
    }
    await zkCli(
      this.zookeeper.address,
      'create /channels',
      'create /channels/news',
      ...this.origins.map(({ name, address }) => `create /channels/news/${name} ${registration(address)}`),
    );
    for (let index = 0; index < 2; index += 1) {
      this.edges.push({ weir: await this.#serve(), run: this.#nextRun(index), isThere: true });
    }
    await Promise.all(
      this.edges.map(({ weir }) =>
        waitFor(async () => (await fetch(`${weir.players}${playlist}`)).status === 200, { what: 'the channel' }),
      ),
    );
  }

  #nextRun(index: number): string {
    this.#runs += 1;
    return `edge ${index} run ${this.#runs}`;
  }

  #serve(): Promise<WeirProcess> {
    const settings = {
      workers: this.#options.workers,
      'registry.zookeeper.servers': this.zookeeper.address,
      'registry.zookeeper.sessionTimeout': '4s',
      'log.requests': false,
      'shutdown.delay': 0,
      // Which endpoint an edge would begin at is its own matter.
      'balancer.policy': 'random',
    };
    return serveWeir(
      '--registry',
      'zookeeper',
      ...Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
    );
  }

  /** The player asks, until `rest`. */
  play(): void {
    this.#isAsking = true;
    this.#asking = this.#ask();
  }

  async #ask(): Promise<void> {
    for (let turn = 0; this.#isAsking; turn += 1) {
      const there = this.edges.filter(({ isThere }) => isThere);
      const edge = there[turn % there.length];
      const other = there[(turn + 1) % there.length];
      if (edge !== undefined && other !== undefined) {
        await this.client.ask({ players: edge.weir.players, run: edge.run }, other.weir.players);
      }
      await sleep(askEveryMs);
    }
  }

  async rest(): Promise<void> {
    this.#isAsking = false;
    await this.#asking;
  }

  /** Resolves when the player has seen so many segments more. */
  async seen(segments: number): Promise<void> {
    await waitFor(() => this.client.highest >= 0, { deadline: 60_000, what: 'the first segment' });
    const goal = this.client.highest + segments;
    await waitFor(() => this.client.highest >= goal, { deadline: 60_000, what: `segment ${goal}` });
  }

  /** The origin that the newest segment came from. */
  get present(): SimulatedPackager {
    const uri = this.client.known.get(this.client.highest)?.uri ?? '';
    const index = this.origins.findIndex(({ name }) => uri.includes(`-${name}-`));
    const origin = this.origins[index];
    if (origin === undefined) throw new Error(`no origin has ${uri}`);
    return origin;
  }

  /** It is out of the registry. */
  async unregister({ name }: SimulatedPackager): Promise<void> {
    await zkCli(this.zookeeper.address, `delete /channels/news/${name}`);
  }

  async register({ name, address }: SimulatedPackager): Promise<void> {
    await zkCli(this.zookeeper.address, `create /channels/news/${name} ${registration(address)}`);
  }

  /** kill -9 of a whole edge, and another one in its place. */
  async restart(index: number): Promise<void> {
    const edge = this.edges[index];
    if (edge === undefined) throw new Error(`no edge ${index}`);
    edge.isThere = false;
    edge.weir.child.kill('SIGKILL');
    await edge.weir.stop();
    this.client.forget(edge.run);
    edge.weir = await this.#serve();
    edge.run = this.#nextRun(index);
    edge.isThere = true;
  }

  /** kill -9 of its worker; the supervisor starts another one. */
  killWorker(index: number): void {
    const { pid } = this.edges[index]?.weir.child ?? {};
    const worker = workerOf(pid ?? 0);
    if (worker === undefined) throw new Error(`edge ${index} has no worker`);
    process.kill(worker, 'SIGKILL');
    // What the next one shows goes on from what this one reported a moment ago at the latest.
    const edge = this.edges[index];
    if (edge === undefined) return;
    this.client.forget(edge.run);
    edge.run = this.#nextRun(index);
  }

  async close(): Promise<void> {
    await this.rest();
    for (const timer of this.#timers) {
      clearTimeout(timer);
      clearInterval(timer);
    }
    await Promise.all(this.edges.map(({ weir }) => weir.stop()));
    this.#agent.destroy();
    await Promise.all(this.origins.map((origin) => origin.close()));
    await this.zookeeper.stop();
  }
}

/** The process of a worker among the children of an edge. */
function workerOf(parent: number): number | undefined {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ').map(Number);
  return children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker-entry'));
}

function registration(address: string): string {
  return JSON.stringify({ service_address: address, load: 0.1, bitrate: 1000, packet_loss_rate: 0 });
}
