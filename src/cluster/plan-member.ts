// An edge's part in the plans of channels: whether it follows them, under which name, and where they are.

import { randomBytes } from 'node:crypto';
import type { Config } from '../config-schema.js';
import type { PlanDesk } from '../data-plane/contract.js';
import { followFleetSecret } from '../fleet/fleet-secret.js';
import { PlanBoard } from '../fleet/plan-board.js';
import { PlanSweep } from '../fleet/plan-sweep.js';
import type { FleetSession } from '../fleet/session.js';
import { type Logger, seldom } from '../log.js';
import type { Metrics } from '../metrics.js';

/** The name of this edge in plans: it tells which period it appended. Without a name of its own, one for each start. */
export function planName({
  config,
  identity,
}: {
  readonly config: Pick<Config, 'fleet'>;
  readonly identity: { readonly edge: string };
}): string {
  return config.fleet.name ?? identity.edge;
}

export interface PlanTools {
  /** The name of this edge. */
  readonly edge: string;
  readonly metrics: Pick<Metrics, 'hlsPlanWrites'>;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
  /** The secret that all edges of the fleet sign with is known, before any plan is. */
  readonly signWith: (secret: string) => void;
}

/** An edge's part in the plans of its fleet, until `close`. */
export class Plans {
  readonly board: PlanBoard;
  readonly #settings: Pick<Config, 'fleet' | 'hls'>;
  readonly #session: FleetSession;
  readonly #tools: PlanTools;
  #sweep: PlanSweep | undefined;
  #endSecret: (() => void) | undefined;

  constructor(settings: Pick<Config, 'fleet' | 'hls'>, session: FleetSession, tools: PlanTools) {
    this.#settings = settings;
    this.#session = session;
    this.#tools = tools;
    this.board = new PlanBoard({
      session,
      folder: `${settings.fleet.root}/hls`,
      now: () => performance.now(),
      wrote: (result) => tools.metrics.hlsPlanWrites.inc({ result }),
    });
  }

  /** Plans are followed as soon as there is a connection, and the secret is known. */
  open(): void {
    const { fleet, hls } = this.#settings;
    if (hls.pinSecret !== undefined) this.#begin();
    else if (fleet.secret !== undefined) this.#signWith(fleet.secret);
    else this.#endSecret = this.#followSecret();
  }

  #followSecret(): () => void {
    const { logger } = this.#tools;
    const warn = seldom(
      (fields: object) => logger.warn(fields, 'no secret of the fleet: this edge numbers HLS by itself'),
      60_000,
    );
    return followFleetSecret({
      session: this.#session,
      path: `${this.#settings.fleet.root}/secrets/hls-pins`,
      make: () => randomBytes(32).toString('hex'),
      known: (secret) => this.#signWith(secret),
      refused: (reason) => warn({ reason }),
    });
  }

  #signWith(secret: string): void {
    this.#tools.signWith(secret);
    this.#begin();
  }

  #begin(): void {
    const { root } = this.#settings.fleet;
    const { edge, logger } = this.#tools;
    this.board.open();
    this.#sweep = new PlanSweep({
      session: this.#session,
      election: `${root}/elections/hls-plans`,
      folder: `${root}/hls`,
      edge,
      now: () => performance.now(),
      after: (ms, run) => {
        const timer = setTimeout(run, ms).unref();
        return () => clearTimeout(timer);
      },
      swept: (plans) => logger.info({ plans }, 'plans of channels that nobody watches were removed'),
    });
  }

  close(): void {
    this.#endSecret?.();
    this.board.close();
    // Its place goes with the session at the latest.
    this.#sweep?.close().catch(() => undefined);
  }
}

/** undefined: this edge numbers HLS by itself. */
export function createPlans(
  settings: Pick<Config, 'fleet' | 'hls' | 'registry'>,
  session: FleetSession | undefined,
  tools: PlanTools,
): Plans | undefined {
  const { fleet, hls, registry } = settings;
  if (session === undefined || fleet.enabled === false || !fleet.plan) return undefined;
  if (hls.mode !== 'session' || registry.kind !== 'zookeeper') return undefined;
  return new Plans(settings, session, tools);
}

/** The plans as the data plane of the same process sees them. */
export function deskOf(board: Pick<PlanBoard, 'watch' | 'write'>, edge: string): PlanDesk {
  return {
    edge,
    watch: (channel, heard) => {
      const close = board.watch(channel, heard);
      return close && { write: (version, text) => board.write(channel, version, text), close };
    },
  };
}
