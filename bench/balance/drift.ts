// Whether a policy picks the lowest where its own picks move nothing: loads that drift by themselves, little traffic, few edges.
//
// Nothing is simulated but reports and picks. Every pick is held against the lowest score in the reports that its edge had.

import { assumedLoss, knownFraction } from '../../src/balancer/score.js';
import type { EdgePolicy, PolicyModule, View } from './contract.js';
import { exponential, gaussian, seeded } from './random.js';
import { Timeline } from './timeline.js';
import { drawWalk, type Walk, type WalkKind, walkKinds } from './walks.js';

/** What the endpoints of a server report: one load for each channel, the server's in each, or a load for some of them. */
export const loadsTold = ['single', 'own', 'one', 'some'] as const;
export type Loads = (typeof loadsTold)[number];

export interface Drift {
  readonly name: string;
  readonly seed: number;
  readonly kind: WalkKind | 'mixed';
  readonly endpoints: number;
  readonly edges: number;
  /** Edges are told how many they are. */
  readonly edgesHint: boolean;
  /** Seconds between two reports of a server, and the relative spread of that. */
  readonly period: number;
  readonly jitter: number;
  /** Requests a second at each edge. */
  readonly rate: number;
  /** Mean seconds of a request. */
  readonly lasts: number;
  readonly bitrate: number;
  /** Standard deviation of a reported load. */
  readonly noise: number;
  readonly lossy: boolean;
  readonly loads: Loads;
}

export interface DriftResult {
  readonly picks: number;
  /** Part of the picks more than 0.05 above the lowest score at hand. */
  readonly above: number;
  /** How far the worst pick was above it. */
  readonly worst: number;
}

const TOLERATED = 0.05;
const CHANNELS = 8;
const LOSS_WEIGHT = 10;
const DURATION = 3600;

/** 24 of a seed: every kind of drift several times. */
export function drawnDrifts(seed: number, loads: Loads, count = 24): readonly Drift[] {
  const random = seeded(seed * 15_485_863 + 11);
  const between = (low: number, high: number) => low + (high - low) * random();
  const kinds = [...walkKinds, 'mixed'] as const;
  return Array.from({ length: count }, (_, i) => {
    const kind = kinds[i % kinds.length] ?? 'walk';
    const endpoints = Math.floor(between(2, 9));
    const edges = Math.floor(between(1, 6));
    const rate = 0.1 * 50 ** random();
    const period = 15 ** random();
    return {
      name: `${kind}-${edges}x${endpoints}-T${period.toFixed(1)}-${rate.toFixed(1)}/s`,
      seed: Math.floor(between(1, 1e6)),
      kind,
      endpoints,
      edges,
      edgesHint: random() < 0.5,
      period,
      jitter: between(0, 0.3),
      rate,
      // Answers of a playlist or a segment.
      lasts: 0.03 * 100 ** random(),
      bitrate: 600 * 10 ** random(),
      noise: between(0, 0.02),
      lossy: random() < 0.3,
      loads,
    };
  });
}

export function runDrift(drift: Drift, module: PolicyModule): DriftResult {
  const { endpoints, edges, seed, loads } = drift;
  const random = seeded(seed);
  const time = new Timeline();
  const channels = loads === 'single' ? 1 : CHANNELS;
  const found = { picks: 0, above: 0, worst: 0 };
  const kindOf = (): WalkKind =>
    drift.kind === 'mixed' ? (walkKinds[Math.floor(random() * walkKinds.length)] ?? 'walk') : drift.kind;
  const fleet = Array.from({ length: edges }, (_, edgeId) => ({
    policy: module({ edgeId, edges: drift.edgesHint ? edges : undefined, rng: seeded(random() * 2 ** 32) }),
    views: Array.from({ length: channels }, (): View[] => []),
    delay: 0.02 + 0.2 * random(),
  }));
  for (let server = 0; server < endpoints; server += 1) {
    const shared = drawWalk(kindOf(), random);
    const walks: readonly (Walk | undefined)[] = Array.from({ length: channels }, () => {
      if (loads === 'some' && random() < 0.4) return undefined;
      return loads === 'one' ? shared : drawWalk(kindOf(), random);
    });
    const loss = drift.lossy ? 0.02 * random() ** 2 : 0;
    let version = 0;
    const report = () => {
      version += 1;
      const at = version;
      const one = loads === 'one' ? reported(shared, time.now, drift, random) : undefined;
      const told = walks.map((walk) =>
        walk === undefined ? undefined : (one ?? reported(walk, time.now, drift, random)),
      );
      for (const edge of fleet) {
        time.at(time.now + (at === 1 ? 0 : edge.delay), () => {
          for (const [channel, load] of told.entries()) {
            deliver(edge, { server, channel, load, loss, version: at, now: time.now, drift });
          }
        });
      }
      // All are known from the beginning, and each reports in its own turn from then on.
      const spread = at === 1 ? random() : 1 + drift.jitter * (2 * random() - 1);
      time.at(time.now + drift.period * spread, report);
    };
    time.at(0, report);
  }
  for (const edge of fleet) {
    const arrive = () => {
      const views = edge.views[Math.floor(random() * channels)] ?? [];
      judge(views, request(edge.policy, views, time, drift, random), found);
      time.at(time.now + exponential(random, 1 / drift.rate), arrive);
    };
    time.at(0.01 + exponential(random, 1 / drift.rate), arrive);
  }
  time.runUntil(DURATION);
  return { picks: found.picks, above: found.above / Math.max(1, found.picks), worst: found.worst };
}

function reported(walk: Walk, now: number, { noise }: Drift, random: () => number): number {
  return Math.min(1, Math.max(0, Math.round(1000 * (walk(now) + noise * gaussian(random))) / 1000));
}

interface Told {
  readonly server: number;
  readonly channel: number;
  readonly load: number | undefined;
  readonly loss: number;
  readonly version: number;
  readonly now: number;
  readonly drift: Drift;
}

function deliver(edge: { policy: EdgePolicy; views: View[][] }, told: Told): void {
  const views = edge.views[told.channel];
  if (views === undefined) return;
  let view = views[told.server];
  if (view === undefined) {
    view = {
      id: told.channel * told.drift.endpoints + told.server,
      server: told.server,
      load: 0,
      packet_loss_rate: 0,
      bitrate: told.drift.bitrate,
      version: 0,
      receivedAt: told.now,
      joinedAt: told.now,
    };
    views[told.server] = view;
  }
  // Unknown loads come as they would from a registration that has none.
  Object.assign(view, { load: told.load, packet_loss_rate: told.loss, version: told.version, receivedAt: told.now });
  edge.policy.onReport?.(view, told.now);
}

function request(policy: EdgePolicy, views: readonly View[], time: Timeline, drift: Drift, random: () => number): View {
  const view = views[policy.pick(views, time.now)];
  if (view === undefined) throw new RangeError('the policy picked nobody');
  const startedAt = time.now;
  policy.onStart?.(view, startedAt);
  time.at(startedAt + exponential(random, drift.lasts), () => {
    policy.onDone?.(view, time.now, { durationSec: time.now - startedAt, ok: true });
  });
  return view;
}

function judge(views: readonly View[], picked: View, found: { picks: number; above: number; worst: number }): void {
  let lowest = Number.POSITIVE_INFINITY;
  for (const view of views) lowest = Math.min(lowest, scoreOf(view));
  const above = scoreOf(picked) - lowest;
  found.picks += 1;
  // None of them told its load: all are alike.
  if (!Number.isFinite(above)) {
    if (Number.isFinite(lowest)) Object.assign(found, { above: found.above + 1, worst: Number.POSITIVE_INFINITY });
    return;
  }
  if (above > TOLERATED) found.above += 1;
  found.worst = Math.max(found.worst, above);
}

function scoreOf({ load, packet_loss_rate: loss }: View): number {
  return (knownFraction(load) ?? Number.POSITIVE_INFINITY) + LOSS_WEIGHT * (knownFraction(loss) ?? assumedLoss);
}
