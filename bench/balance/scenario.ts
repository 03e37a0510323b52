// What a simulated fleet looks like, and the named fleets. Times in seconds.

import type { ReportStyle } from './server.js';

export interface Workload {
  /** Share of the load. */
  readonly share: number;
  /** Mean duration of a session. */
  readonly mean: number;
  /** Of a log-normal duration; undefined: exponential. */
  readonly sigma?: number | undefined;
}

export interface Channels {
  readonly count: number;
  /** Servers that serve one channel. */
  readonly replicas: number;
  /** Popularity falls with 1 / rank^skew. */
  readonly skew: number;
  /** kbit/s, of the channels in turn. */
  readonly bitrates: readonly number[];
  /** An edge pulls a channel once while it has viewers there, as the relay and the HLS session do. */
  readonly shared: boolean;
}

export interface Scenario extends ReportStyle {
  readonly edges: number;
  readonly endpoints: number;
  /** Between two reports of a server, and its relative spread. */
  readonly period: number;
  readonly periodJitter: number;
  readonly delayMin: number;
  readonly delayMax: number;
  /** Mean utilisation that our edges cause. */
  readonly rho: number;
  /** Sessions of mean cost that fill a capacity of 1. */
  readonly slots: number;
  readonly capacity?: readonly number[];
  readonly mix: readonly Workload[];
  readonly bitrate: number;
  readonly costSpread: number;
  readonly channels?: Channels;
  /** Picks for a channel stay on its endpoint, as those of HLS do. */
  readonly affinity?: {
    readonly margin: number;
    /** Seconds between two looks of a shared pull whether to move, and at least between two moves of it. */
    readonly refresh: number;
    readonly switchInterval: number;
  };
  /** Mean utilisation by others and the standard deviation of its slow drift. */
  readonly background?: {
    readonly mean: number;
    readonly deviation: number;
    /** How far servers differ in it, as a part of the mean; 1 when not given. */
    readonly spread?: number;
  };
  /** Our traffic grows from nothing to all that `rho` says, and back, while others' goes and comes: [begins, peak, ends]. */
  readonly ramp?: readonly [number, number, number];
  /** Packet loss by server. */
  readonly loss: Readonly<Record<number, number>>;
  /** Edges differ in traffic by 1 / rank^skew. */
  readonly edgeSkew: number;
  /** [time, factor of the arrival rate]. */
  readonly rateSteps: readonly (readonly [number, number])[];
  /** A crowd comes to the most popular channel: its arrivals are `factor` times as many from `at` to `until`. */
  readonly flash?: { readonly at: number; readonly until: number; readonly factor: number };
  readonly join?: { readonly at: number; readonly index: number };
  readonly die?: { readonly at: number; readonly index: number };
  readonly sessionTimeout: number;
  /** Not measured. */
  readonly warmup: number;
  readonly duration: number;
  /** Length of a sample. */
  readonly sample: number;
  /** Edges know how many they are. */
  readonly edgesHint: boolean;
}

const defaults: Scenario = {
  edges: 50,
  endpoints: 10,
  period: 5,
  periodJitter: 0.1,
  delayMin: 0.02,
  delayMax: 0.3,
  rho: 0.7,
  slots: 200,
  mix: [{ share: 1, mean: 1, sigma: 0.5 }],
  bitrate: 1200,
  costSpread: 0.5,
  noise: 0.01,
  lossNoise: 0.002,
  reportMode: 'avg',
  quantum: 0.001,
  loss: {},
  edgeSkew: 0,
  rateSteps: [],
  sessionTimeout: 6,
  warmup: 60,
  duration: 300,
  sample: 1,
  edgesHint: true,
};

/** A scenario with the defaults for what is not given. */
export const scenario = (given: Partial<Scenario>): Scenario => ({ ...defaults, ...given });
const hls = (given: Partial<Scenario> = {}) => scenario({ slots: 100, warmup: 40, duration: 160, ...given });
const streams = [{ share: 1, mean: 300 }];
const flv = (given: Partial<Scenario> = {}) =>
  scenario({ mix: streams, slots: 400, warmup: 150, duration: 600, ...given });
const unequal = [1, 1, 2, 4, 1, 2, 1, 1, 4, 2];
const ladder = [600, 1200, 2500, 6000];
const channels: Channels = { count: 60, replicas: 4, skew: 0.8, bitrates: ladder, shared: false };
const pulls: Channels = { ...channels, count: 120, shared: true };
const affinity = { margin: 0.1, refresh: 2, switchInterval: 30 };
const sticky = { edges: 20, background: { mean: 0.25, deviation: 0.1 }, rho: 0.4, affinity };
const others = { mean: 0.25, deviation: 0.05 };

export const scenarios: Readonly<Record<string, Scenario>> = {
  'hls-1x3-T1': hls({ edges: 1, endpoints: 3, period: 1 }),
  'hls-50x10-T1': hls({ period: 1 }),
  'hls-50x10-T5': hls(),
  'hls-50x10-T15': hls({ period: 15, warmup: 90, duration: 240 }),
  'hls-50x10-T5-hetero': hls({ capacity: unequal, slots: 60, warmup: 80 }),
  'hls-50x10-T5-lossy': hls({ rho: 0.6, loss: { 3: 0.05 } }),
  'hls-50x10-T5-join': hls({ join: { at: 80, index: 4 }, duration: 200 }),
  'hls-50x10-T5-die': hls({ rho: 0.65, die: { at: 100, index: 4 } }),
  'flv-50x10-T5': flv(),
  'flv-50x10-T5-hetero': flv({ capacity: unequal, slots: 250 }),
  'flv-50x10-T5-lossy': flv({ rho: 0.6, loss: { 3: 0.05 }, warmup: 400 }),
  'flv-50x10-T5-join': flv({ join: { at: 200, index: 4 } }),
  'flv-50x10-T5-die': flv({ rho: 0.65, die: { at: 250, index: 4 } }),
  'flv-50x10-T5-flash': flv({
    rho: 0.4,
    rateSteps: [
      [200, 4],
      [260, 1],
    ],
  }),
  'mix-50x10-T5': scenario({
    mix: [
      { share: 0.5, mean: 1, sigma: 0.5 },
      { share: 0.5, mean: 240 },
    ],
    warmup: 100,
    duration: 200,
  }),
  'cold-hls-50x10-T5': hls({ warmup: 1, duration: 40 }),
  'cold-flv-50x10-T5': flv({ warmup: 1, duration: 60 }),
  // Many channels on few servers each, unequal in popularity and bitrate; others use the servers too.
  'channels-hls': hls({ channels, background: others, rho: 0.4, warmup: 80 }),
  'channels-flv': flv({ channels, background: others, rho: 0.4 }),
  'channels-hetero-hls': hls({ channels, background: others, rho: 0.4, capacity: unequal, slots: 60, warmup: 80 }),
  // One pull for all viewers of a channel at an edge: the relay and the HLS session.
  'pulls-20x10': flv({ edges: 20, channels: pulls, rho: 0.6, warmup: 300 }),
  'pulls-20x10-background': flv({ edges: 20, channels: pulls, background: others, rho: 0.4, warmup: 300 }),
  'pulls-20x10-die': flv({ edges: 20, channels: pulls, rho: 0.55, warmup: 300, die: { at: 500, index: 4 } }),
  'pulls-3x6': flv({ edges: 3, endpoints: 6, channels: { ...pulls, replicas: 3 }, rho: 0.6, warmup: 300 }),
  // HLS that stays on its endpoint within the margin: one session for all viewers of a channel at an edge, and passthrough,
  // where every request of an edge's viewers goes to where their channel is.
  'sessions-20x10': flv({ ...sticky, channels: { ...pulls, count: 40 }, warmup: 300 }),
  'sessions-everywhere': flv({ ...sticky, channels: { ...pulls, count: 10, replicas: 10 }, warmup: 300 }),
  'sessions-passthrough': hls({
    ...sticky,
    channels: { ...channels, count: 24 },
    slots: 300,
    warmup: 120,
    duration: 300,
  }),
  // A crowd comes to one channel, which only some of the servers have.
  'flash-channel-hls': hls({ channels, rho: 0.4, warmup: 80, flash: { at: 120, until: 180, factor: 6 } }),
  'flash-channel-flv': flv({ channels, rho: 0.35, flash: { at: 300, until: 360, factor: 8 } }),
};
