// Parts of an HLS session for unit tests: a clock that a test turns, endpoints that answer what a test says, and no sockets.

import { Balancer } from '../../src/balancer/balancer.js';
import { createPolicy } from '../../src/balancer/policies.js';
import type { Outcome, WeirError } from '../../src/errors.js';
import { ObjectCache } from '../../src/hls/cache/object-cache.js';
import { EndpointChoice } from '../../src/hls/session/endpoint-choice.js';
import { ListedObjects } from '../../src/hls/session/listed-objects.js';
import { PlayerTokens } from '../../src/hls/session/player-tokens.js';
import type { ViewTools } from '../../src/hls/session/playlist-view.js';
import type { PresentedParts } from '../../src/hls/session/presented.js';
import type { SessionContext } from '../../src/hls/session/session-context.js';
import type { SessionName } from '../../src/hls/session/session-name.js';
import { SessionObjects } from '../../src/hls/session/session-objects.js';
import { PeriodTimeline } from '../../src/hls/session/timeline.js';
import { endpointTag } from '../../src/hls/url/pin.js';
import { silentLogger } from '../../src/log.js';
import { createMetrics } from '../../src/metrics.js';
import type { ChannelName, Endpoint } from '../../src/model.js';
import { SnapshotStore } from '../../src/snapshot/store.js';
import type { UpstreamClient } from '../../src/upstream/client.js';
import { endpoint, testConfig } from './data-plane.js';

/** What `Presented` needs of a session, where nothing else happens to it. */
export function presentedParts(timeline = new PeriodTimeline()): PresentedParts {
  return {
    name: { stem: '/live/news' },
    context: {
      settings: { unkeyedParameters: [], grace: 5_000 },
      keys: { naming: 'test', signing: 'test' },
      now: () => 0,
      clock: () => 0,
    },
    timeline,
    objects: { isLost: () => false },
  };
}

/** A playlist as text, a status, or the error that ends the request; what it returns for a path is what an endpoint answers. */
export type Answer = string | number | WeirError;

/** One session before endpoints that a test scripts. */
export class SessionParts {
  now = 1_000_000;
  /** Requests as `<server><path>`. */
  readonly asked: string[] = [];
  /** How picks ended. */
  readonly outcomes: Outcome[] = [];
  /** How often the session's playlists were told to ask anew. */
  expired = 0;
  readonly metrics = createMetrics({ process: false });
  readonly context: SessionContext;
  readonly tools: ViewTools;
  readonly #store = new SnapshotStore();
  readonly #answers = new Map<string, (path: string) => Answer | Promise<Answer>>();
  #revision = 0;

  constructor(query: Partial<Pick<SessionName, 'query' | 'partition'>> = {}) {
    const { hls } = testConfig({ hls: { playlistMaxAge: 0, masterMaxAge: 0, prefetch: false } });
    const keys = { naming: 'test', signing: 'test' };
    const now = () => this.now;
    const hooks = { now, clock: now, receive: () => undefined };
    const cacheSettings = { maxBytes: 1e6, maxObjectBytes: 1e5, staleIfErrorMs: 0, errorLifetimeMs: 0 };
    this.context = {
      settings: hls,
      retries: 2,
      onRetry: () => undefined,
      firstByteTimeoutMs: 5_000,
      balancer: this.#balancer(now),
      store: this.#store,
      client: this.#client(),
      cache: new ObjectCache(cacheSettings, hooks),
      metrics: this.metrics,
      logger: silentLogger,
      keys,
      tagOf: (address) => endpointTag(address, keys),
      via: '1.1 test',
      now,
      clock: now,
    };
    const channel = 'news' as ChannelName;
    const name = { channel, stem: '/live/news', query: '', authorization: undefined, partition: '', ...query };
    const { context } = this;
    const tokens = new PlayerTokens(name);
    const choice = new EndpointChoice({
      name,
      context,
      tokens,
      left: () => {
        this.expired += 1;
      },
    });
    const objects = new SessionObjects({ name, context, tokens, choice, listed: new ListedObjects() });
    this.tools = { name, context, tokens, choice, objects, timeline: new PeriodTimeline() };
  }

  /** Replaces everything that is registered. */
  register(...endpoints: Endpoint[]): void {
    this.#revision += 1;
    this.#store.accept({ kind: 'full', revision: this.#revision, state: 'live', endpoints });
  }

  /** Registers endpoints by address, each with more load than the one before. */
  registerAll(...addresses: string[]): void {
    this.register(...addresses.map((address, index) => endpoint('news', address, { load: 0.1 * (index + 1) })));
  }

  /** What the endpoint at that address answers from now on. */
  script(address: string, answer: Answer | ((path: string) => Answer | Promise<Answer>)): void {
    this.#answers.set(`http://${address}`, typeof answer === 'function' ? answer : () => answer);
  }

  #balancer(now: () => number): Balancer {
    const outlier = { consecutiveFailures: 5, baseEjection: 30_000, maxEjection: 300_000, panicThreshold: 0.5 };
    return new Balancer({
      store: this.#store,
      policy: createPolicy('lowest'),
      settings: {
        policy: 'lowest',
        lossWeight: 10,
        tieBand: 0,
        edges: 1,
        affinityMargin: 0.15,
        zoneSpill: 0.8,
        outlier,
      },
      observer: {
        picked: (outcome) => this.outcomes.push(outcome),
        ejected: () => undefined,
        refused: () => undefined,
      },
      addressAllowed: () => true,
      now,
      random: () => 0,
    });
  }

  #client(): UpstreamClient {
    return {
      send: ({ server, path }, handler) => {
        this.asked.push(`${server}${path}`);
        let isOver = false;
        const answer = (given: Answer) => {
          if (isOver) return;
          if (typeof given === 'object') return handler.onError(given);
          handler.onResponse(typeof given === 'number' ? given : 200, {});
          if (typeof given === 'string') handler.onData(Buffer.from(given));
          handler.onEnd();
        };
        Promise.resolve(this.#answers.get(server)?.(path) ?? 404).then(answer);
        return {
          resume: () => undefined,
          abort: () => {
            isOver = true;
          },
        };
      },
    };
  }
}
