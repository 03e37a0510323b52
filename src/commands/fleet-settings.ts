// The settings that an edge takes from its fleet while it runs: kept ones at the start, then each document as it is pushed, through
// the same reload as a change of the configuration file.

import type { CentreDocument } from '../config/centre.js';
import { ConfigError, type ConfigRequest, type EffectiveConfig, readConfig } from '../config.js';
import type { Config } from '../config-schema.js';
import { ConfigFollower } from '../fleet/config/config-follower.js';
import { readKept, type Whose, writeKept } from '../fleet/config/kept-config.js';
import { layersOf } from '../fleet/config/layers.js';
import type { Logger } from '../log.js';
import { ownTarget } from './config-target.js';
import type { Edge } from './edge.js';

/** Milliseconds that an edge waits at its start for what its fleet says: without ZooKeeper it goes on with what it has. */
const firstReadMs = 2_000;

type FollowingEdge = Pick<Edge, 'fleet' | 'reload' | 'settingsRefused'>;

/** What the fleet says, on top of what the edge says itself. Sole owner of the documents in effect. */
export class FleetSettings {
  readonly #own: ConfigRequest;
  readonly #logger: Logger;
  readonly #path: string | undefined;
  #kept: ReadonlyMap<string, string> = new Map();
  #documents: readonly CentreDocument[] = [];
  #follower: ConfigFollower | undefined;

  /** @param own without the fleet; `config` is what it comes to */
  constructor(own: ConfigRequest, { fleet }: Config, logger: Logger) {
    this.#own = own;
    this.#logger = logger;
    this.#path = fleet.enabled === false ? undefined : fleet.configFile;
  }

  /** All that is to be read for the settings as they should be in effect. */
  get request(): ConfigRequest {
    return { ...this.#own, centre: this.#documents };
  }

  /** The settings to start with. What was kept and cannot be used costs itself, not the start. */
  async restored(config: Config): Promise<EffectiveConfig> {
    const path = this.#path;
    if (path === undefined) return readConfig(this.#own);
    const { site, edge } = ownTarget(config);
    const whose: Whose = { root: config.fleet.root, site, edge };
    try {
      const kept = await readKept(path, whose);
      const documents = documentsOf(whose, kept);
      const effective = readConfig({ ...this.#own, centre: documents });
      this.#kept = kept;
      this.#documents = documents;
      const layers = documents.map(({ name }) => name);
      if (layers.length > 0) this.#logger.info({ path, layers }, 'starting with the settings that the fleet last had');
      return effective;
    } catch (error) {
      this.#logger.error({ path, error: (error as Error).message }, 'the kept settings of the fleet are not used');
      return readConfig(this.#own);
    }
  }

  /** Follows ZooKeeper until `signal` aborts. Resolves when it was read once, or cannot be soon. */
  async follow(edge: FollowingEdge, signal: AbortSignal): Promise<void> {
    const { fleet } = edge;
    if (fleet === undefined) return;
    const { session, root, site, name } = fleet.place;
    const follower = new ConfigFollower({
      session,
      root,
      site,
      edge: name,
      kept: this.#kept,
      apply: (documents) => this.#apply(documents, edge),
      keep: async (bodies) => {
        if (this.#path !== undefined) await writeKept(this.#path, bodies);
      },
      report: (config) => fleet.announce({ config }),
      failed: (what, error) => this.#failed(what, error),
      after,
    });
    this.#follower = follower;
    signal.addEventListener('abort', () => follower.close());
    let stopWaiting = () => {};
    await Promise.race([
      follower.read,
      new Promise<void>((resolve) => {
        stopWaiting = after(firstReadMs, resolve);
      }),
    ]);
    stopWaiting();
  }

  /** The edge's own settings are different ones: what was refused beside the old ones may be fine now. */
  retry(): void {
    this.#follower?.retry();
  }

  async #apply(documents: readonly CentreDocument[], edge: FollowingEdge): Promise<void> {
    const before = this.#documents;
    let config: Config;
    try {
      config = readConfig({ ...this.#own, centre: documents }).config;
    } catch (error) {
      if (error instanceof ConfigError) edge.settingsRefused();
      throw error;
    }
    // From now on: a reload for another cause that comes meanwhile takes them too, and does not undo them.
    this.#documents = documents;
    try {
      await edge.reload(config, false);
    } catch (error) {
      this.#documents = before;
      throw error;
    }
  }

  #failed(what: 'apply' | 'read' | 'keep', { message }: Error): void {
    const words = {
      apply: 'the settings of the fleet are refused, the ones in effect stay',
      read: 'the settings of the fleet cannot be read, the ones in effect stay',
      keep: 'the settings of the fleet cannot be kept for the next start',
    } as const;
    this.#logger.error({ error: message }, words[what]);
  }
}

function after(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

function documentsOf({ root, site, edge }: Whose, bodies: ReadonlyMap<string, string>): CentreDocument[] {
  return layersOf(root, { kind: 'edge', site, edge }).flatMap((name) => {
    const text = bodies.get(name);
    return text === undefined ? [] : [{ name, text }];
  });
}
