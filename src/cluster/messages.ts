// What the supervisor and its workers say to each other. Both run the same code: nothing here is validated.

import type {
  DataPlaneConfig,
  FleetOrders,
  IntakeState,
  OwnListener,
  PlanNews,
  ProbeFindings,
  SessionState,
  Views,
  WorkerIdentity,
} from '../data-plane/contract.js';
import type { ErrorCode } from '../errors.js';
import type { ChannelName, ServerOrigin, Update } from '../model.js';
import type { Member } from '../sharding/owner.js';
import type { MetricJson } from './metrics-ledger.js';

/** Picks that are not done, by server. */
export type InFlight = (readonly [ServerOrigin, number])[];

type ViewAnswers = { readonly [Name in keyof Views]: ReturnType<Views[Name]> };

/** Each kind of question with its answer. */
export interface Answers extends ViewAnswers {
  /** How the owner of a channel would pick. */
  explain: unknown;
  /** Every metric as it is now. */
  metrics: readonly MetricJson[];
  /** That everything sent before was heard. */
  ping: true;
}
export type Question =
  | { readonly about: 'explain'; readonly channel: ChannelName }
  | { readonly about: keyof Views }
  | { readonly about: 'metrics' }
  | { readonly about: 'ping' };

export type SupervisorMessage =
  /** Comes with the socket to accept from, and after updates that make up the whole picture. */
  | {
      readonly kind: 'start';
      readonly config: DataPlaneConfig;
      readonly identity: WorkerIdentity;
      /** Where the edge listens, all addresses with their ports as they are. */
      readonly own: readonly OwnListener[];
      /** As they will be when this worker serves. */
      readonly members: readonly Member[];
      /** HLS sessions of the channels that are this worker's. */
      readonly sessions: readonly SessionState[];
      /** What the other workers have in flight. */
      readonly inFlight: InFlight;
      readonly fleet: FleetOrders;
      /** Whether the plans of channels can be asked for. */
      readonly plans?: boolean;
    }
  | { readonly kind: 'update'; readonly update: Update }
  | { readonly kind: 'configure'; readonly config: DataPlaneConfig }
  /** HLS sessions of channels that are this worker's from the next `members` on. */
  | { readonly kind: 'adopt'; readonly sessions: readonly SessionState[] }
  /** Who serves now: the owner of each channel follows from it. */
  | { readonly kind: 'members'; readonly members: readonly Member[] }
  /** What the other workers have in flight. `whole`: a server that is not named has nothing; else it has what it had. */
  | { readonly kind: 'in-flight'; readonly counts: InFlight; readonly whole: boolean }
  | { readonly kind: 'fleet'; readonly orders: FleetOrders }
  /** What all edges of the fleet sign URLs in HLS playlists with. */
  | { readonly kind: 'sign-with'; readonly secret: string }
  /** What is known of the plan of a channel that it watches. */
  | { readonly kind: 'plan'; readonly channel: ChannelName; readonly news: PlanNews }
  /** What health checks found of servers. */
  | { readonly kind: 'probed'; readonly findings: ProbeFindings }
  /** Connections that it may have; comes with the socket when it does not accept now and may again. */
  | { readonly kind: 'allow'; readonly connections: number }
  /** Comes with the socket from which other edges are let in. */
  | { readonly kind: 'serve-edges' }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  | { readonly kind: 'drain'; readonly end: 'shutdown' | 'handover' };

export type WorkerMessage =
  /** It listens to messages now: what is sent before is lost. */
  | { readonly kind: 'hello' }
  | { readonly kind: 'listening' }
  /** It cannot start: another try would end the same way. */
  | { readonly kind: 'failed'; readonly message: string; readonly code: string | undefined }
  /** Utilization: share of the time since the last one, 0 to 1, in which the event loop was busy. */
  | {
      readonly kind: 'heartbeat';
      readonly residentBytes: number;
      readonly utilization: number;
      /** Sent to players per second since the last one. */
      readonly bytesPerSecond: number;
    }
  /** What changed of what it has in flight. */
  | { readonly kind: 'in-flight'; readonly counts: InFlight }
  | { readonly kind: 'intake'; readonly intake: IntakeState }
  /** HLS sessions of its channels, in case another worker has to go on with them. */
  | { readonly kind: 'sessions'; readonly sessions: readonly SessionState[] }
  /** What it has to do with the plan of a channel. `write`: if it has that version. */
  | {
      readonly kind: 'plan';
      readonly channel: ChannelName;
      readonly ask: 'watch' | 'unwatch' | { readonly version: number; readonly text: string };
    }
  /** Counters and histograms, so that what a killed worker counted is not lost; sent once more before an orderly end. */
  | { readonly kind: 'metrics'; readonly metrics: readonly MetricJson[] }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly code: ErrorCode; readonly message: string };

/** Milliseconds that the API waits for a worker. */
export const askDeadlineMs = 2_000;
/** Milliseconds between two heartbeats. */
export const workerHeartbeatMs = 500;
/** Milliseconds between two reports of counters: what kill -9 loses at most. */
export const metricsIntervalMs = 1_000;
/** Milliseconds between two looks for HLS sessions that changed. */
export const sessionsIntervalMs = 200;
/** Milliseconds between two reports of what is in flight. */
export const inFlightIntervalMs = 200;
/** Milliseconds between two reports of a number of connections that changed; one who has all it may have says so at once. */
export const intakeIntervalMs = 100;
