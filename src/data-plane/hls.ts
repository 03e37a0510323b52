// HLS as a data plane serves it: as one coherent presentation (`hls.mode: session`), or passed through.

import { WeirError } from '../errors.js';
import { type HlsReport, HlsSessions, type SessionContext, type SessionState } from '../hls/index.js';
import { answerError } from '../http/exchange.js';
import { HlsHandler } from '../http/hls.js';
import { keyed } from '../http/keyed.js';
import type { HlsHandlers } from '../http/routing.js';
import type { RouteHandler } from '../http/server.js';
import type { Sharding } from '../sharding/sharding.js';
import { countRetries } from '../upstream/trail.js';
import type { DataPlaneConfig } from './contract.js';

export interface Hls extends HlsHandlers {
  /** For `/api/v1/hls`. */
  describe(): HlsReport;
  /** Brings the gauges up to date. */
  collect(): void;
  /** Sessions as another worker would need them to go on, as far as they were not told yet. */
  newStates(): readonly SessionState[];
  /** Sessions of channels that are this worker's now. */
  adopt(states: readonly SessionState[]): void;
  /** The secret that all edges of the fleet sign with. */
  signWith(secret: string): void;
  /** Ends the sessions of channels that another worker has now. */
  releaseElsewhere(): void;
  close(): void;
}

export interface HlsParts {
  readonly sessions: Pick<SessionContext, 'store' | 'balancer' | 'client' | 'metrics' | 'logger' | 'via' | 'plans'> & {
    readonly machineSecret: string;
  };
  readonly sharding: Sharding;
  readonly passedThrough: RouteHandler;
}

/** HLS by `hls.mode`. */
export function createHls(config: DataPlaneConfig, parts: HlsParts): Hls {
  return config.hls.mode === 'session' ? presented(config, parts) : passed(parts);
}

function presented(config: DataPlaneConfig, { sessions: parts, sharding }: HlsParts): Hls {
  const sessions = new HlsSessions({
    ...parts,
    settings: config.hls,
    retries: config.upstream.retries,
    onRetry: countRetries(parts.metrics),
    firstByteTimeoutMs: config.upstream.firstByteTimeout,
    now: () => performance.now(),
    clock: Date.now,
  });
  const own = new HlsHandler(sessions);
  const { keyedParameters } = config.hls;
  return {
    own: keyed(keyedParameters, own),
    elsewhere: keyed(keyedParameters, sharding.createHlsElsewhere(sessions)),
    forPeers: own,
    describe: () => sessions.describe(),
    collect: () => sessions.collect(),
    newStates: () => sessions.newStates(),
    adopt: (states) => sessions.adopt(states),
    signWith: (secret) => sessions.signWith(secret),
    releaseElsewhere: () => sessions.release((channel) => sharding.elsewhere(channel) === 'worker'),
    close: () => sessions.close(),
  };
}

/** Each worker asks the endpoints itself: nothing is kept, so nothing is divided. */
function passed({ passedThrough }: HlsParts): Hls {
  return {
    own: passedThrough,
    elsewhere: passedThrough,
    forPeers: {
      handle: (exchange, _route, response) => answerError(exchange, response, new WeirError('not_found')),
      holds: () => false,
    },
    describe: () => ({ sessions: [], cache: { objects: 0, bytes: 0 } }),
    collect: () => {},
    newStates: () => [],
    adopt: () => {},
    signWith: () => {},
    releaseElsewhere: () => {},
    close: () => {},
  };
}
