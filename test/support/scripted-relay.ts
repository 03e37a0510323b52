// Relays on a clock that the test turns, between endpoints that send what the test says and viewers on sockets that are
// none. Nothing waits: a minute of a stream takes milliseconds.

import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Picks } from '../../src/balancer/balancer.js';
import type { Outcome } from '../../src/balancer/policy.js';
import { WeirError } from '../../src/errors.js';
import { parseRoute } from '../../src/http/route.js';
import { silentLogger } from '../../src/log.js';
import { createMetrics } from '../../src/metrics.js';
import type { Endpoint } from '../../src/model.js';
import { serverOf } from '../../src/net-address.js';
import type { Framing } from '../../src/relay/audience/frames.js';
import { Relays, type Subscription } from '../../src/relay/relays.js';
import type { RelaysSettings } from '../../src/relay/settings.js';
import { SnapshotStore } from '../../src/snapshot/store.js';
import { endpoint } from './data-plane.js';
import { type PlainTag, parseWhole } from './flv-bytes.js';
import { ScriptedClient, type ScriptedPull } from './scripted-client.js';
import { TurnedClock } from './turned-clock.js';

/** A socket that takes everything at once, or nothing at all. */
export class ScriptedSocket extends EventEmitter {
  readonly chunks: Buffer[] = [];
  reads = true;
  destroyed = false;
  bytesWritten = 0;
  writableLength = 0;

  write(chunk: Buffer): boolean {
    this.bytesWritten += chunk.length;
    if (this.reads) this.chunks.push(chunk);
    else this.writableLength += chunk.length;
    return this.reads;
  }

  /** Takes what waits. */
  take(): void {
    this.writableLength = 0;
  }

  destroy(): void {
    this.destroyed = true;
  }
}

export class ScriptedViewer {
  readonly socket = new ScriptedSocket();
  started = false;
  ended = false;
  refused: WeirError | undefined;
  subscription: Subscription | undefined;

  /** All it was given. */
  get tags(): PlainTag[] {
    return this.socket.chunks.length === 0 ? [] : parseWhole(Buffer.concat(this.socket.chunks)).tags;
  }
}

const defaults: RelaysSettings = {
  maxRelays: 100,
  maxChannelRelays: 32,
  mergeWindowMs: 100,
  stallTimeoutMs: 3_000,
  keyframeTimeoutMs: 10_000,
  maxTagBytes: 1 << 20,
  maxGroupBytes: 8 << 20,
  firstByteTimeoutMs: 5_000,
  graceMs: 10_000,
  lingerMs: 10_000,
  maxViewerBytes: 8 << 20,
  maxViewerMediaMs: 5_000,
  maxHeldBytes: 256 << 20,
  slowTimeoutMs: 15_000,
  maxViewers: 1_000,
};

export class ScriptedRelays {
  readonly relays: Relays;
  readonly metrics = createMetrics({ process: false });
  readonly #client = new ScriptedClient();
  /** How picks ended, in that order. */
  readonly outcomes: { readonly address: string; readonly outcome: Outcome }[] = [];
  /** What was logged as a warning. */
  readonly warnings: object[] = [];
  readonly store = new SnapshotStore();
  readonly clock = new TurnedClock();

  /** Takes the timers of the process, which `close` gives back. */
  constructor(settings: Partial<RelaysSettings> = {}) {
    const tools = {
      store: this.store,
      registered: this.store,
      balancer: this.#picks(),
      client: this.#client,
      headers: {},
      logger: Object.assign(Object.create(silentLogger), { warn: (fields: object) => this.warnings.push(fields) }),
      now: () => this.clock.now,
    };
    this.relays = new Relays({ ...defaults, ...settings }, this.metrics, tools);
  }

  /** All requests to endpoints. */
  get pulls(): readonly ScriptedPull[] {
    return this.#client.pulls;
  }

  /** The last request to an endpoint that was not left. */
  get pull(): ScriptedPull {
    return this.#client.pull;
  }

  get now(): number {
    return this.clock.now;
  }

  register(...endpoints: Endpoint[]): void {
    const revision = this.store.current.revision + 1;
    this.store.accept({ kind: 'full', revision, state: 'live', endpoints });
  }

  /** Registers `news` at so many addresses without paths. */
  registerNews(count = 1): void {
    this.register(...Array.from({ length: count }, (_, index) => endpoint('news', `10.0.0.${index + 1}:80`)));
  }

  /** Throws what `subscribe` throws. */
  watch(
    path = '/live/news.flv',
    { framing = 'raw' as Framing, client = '192.0.2.1', reads = true } = {},
  ): ScriptedViewer {
    const viewer = new ScriptedViewer();
    viewer.socket.reads = reads;
    const route = parseRoute(path, (name) => this.store.current.channels.has(name));
    if (typeof route === 'string') throw new Error(`${path} is ${route}`);
    const hooks = {
      onStart: () => {
        viewer.started = true;
      },
      onRefused: (error: WeirError) => {
        viewer.refused = error;
      },
      onEnd: () => {
        viewer.ended = true;
      },
    };
    const socket = viewer.socket as unknown as Socket;
    viewer.subscription = this.relays.subscribe({ route, client, socket, framing, hooks });
    return viewer;
  }

  /** Lets time pass, in steps, so that who looks at the clock sees no leap. `each` runs before every step. */
  pass(ms: number, each: () => void = () => undefined, step = 20): void {
    for (let passed = 0; passed < ms; passed += step) {
      each();
      this.clock.turn(step);
    }
  }

  close(): void {
    this.relays.close();
    this.clock.restore();
  }

  /** The first endpoint that is not excluded. */
  #picks(): Picks {
    return {
      pick: (channel, { exclude = [] } = {}) => {
        const endpoints = this.store.channel(channel)?.endpoints ?? [];
        const found = endpoints.find(({ address }) => !exclude.includes(serverOf(address)));
        if (found === undefined) throw new WeirError('no_endpoint');
        let isDone = false;
        return {
          endpoint: found,
          server: serverOf(found.address),
          firstByte: () => undefined,
          done: (outcome) => {
            if (!isDone) this.outcomes.push({ address: found.address, outcome });
            isDone = true;
          },
        };
      },
    };
  }
}
