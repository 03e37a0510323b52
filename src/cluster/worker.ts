// A worker: the data plane, led by the messages of the supervisor.

import type { DataPlane, SharedSocket } from '../data-plane/contract.js';
import { createDataPlane } from '../data-plane/data-plane.js';
import { toWeirError } from '../errors.js';
import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import type { Snapshot } from '../model.js';
import { fullOf } from '../snapshot/update.js';
import { AskedPlans } from './asked-plans.js';
import { ByteRate, sentBytes } from './byte-rate.js';
import type { Answers, Question, SupervisorMessage, WorkerMessage } from './messages.js';
import {
  inFlightIntervalMs,
  intakeIntervalMs,
  metricsIntervalMs,
  sessionsIntervalMs,
  workerHeartbeatMs,
} from './messages.js';
import { readCounters, readMetrics } from './metrics-ledger.js';
import { planName } from './plan-member.js';

export interface Worker {
  /** Accepts players when it resolves; rejects when its listener cannot be opened, with nothing left behind. */
  listen(socket: SharedSocket | undefined): Promise<void>;
  /**
   * Messages come in order.
   * @param socket that came with an `allow` or a `serve-edges`
   */
  onMessage(message: Exclude<SupervisorMessage, { kind: 'start' }>, socket?: SharedSocket): void;
  /** Lets players finish for the grace; then the worker is over. Idempotent. */
  drain(end: 'shutdown' | 'handover'): Promise<void>;
}

export interface WorkerLink {
  /** The callback comes when the system has taken the message. */
  send(message: WorkerMessage, sent?: () => void): void;
  /** False: the supervisor does not read. What a later report says anew is not sent now. */
  keepsUp(): boolean;
  readonly logger: Logger;
}

/**
 * Starts the data plane of a worker and its reports. It accepts nobody before `listen`.
 *
 * @param snapshot what it was told before `start`
 */
export function createWorker(
  start: Extract<SupervisorMessage, { kind: 'start' }>,
  snapshot: Snapshot,
  link: WorkerLink,
  metrics: Metrics,
): Worker {
  const plans = start.plans ? new AskedPlans(planName(start), (message) => link.send(message)) : undefined;
  const plane = createDataPlane(start.config, link.logger, metrics, start.identity, plans);
  plane.setOwnListeners(start.own);
  plane.accept(fullOf(snapshot));
  plane.setMembers(start.members);
  plane.adoptHls(start.sessions);
  plane.setInFlightElsewhere(start.inFlight, true);
  plane.setFleet(start.fleet);

  const reports = [
    sendHeartbeats(link, () => sentBytes(metrics)),
    setInterval(() => {
      if (link.keepsUp()) void sendCounters();
    }, metricsIntervalMs),
    reportInFlight(plane, link),
    reportIntake(plane, link),
    setInterval(reportSessions, sessionsIntervalMs),
  ];
  /** It owns channels that other edges cannot take from here: they come by other workers, or go to the origins. */
  function sayUnshared(err: unknown): void {
    link.logger.error({ err }, 'no other edge is served by this worker');
  }
  function reportSessions(): void {
    if (!link.keepsUp()) return;
    const sessions = plane.newHlsStates();
    if (sessions.length > 0) link.send({ kind: 'sessions', sessions });
  }
  // One reading after the other: an older one that arrived after a newer one would take counts back.
  let reading: Promise<unknown> = Promise.resolve();
  function inTurn<T>(read: () => Promise<T>): Promise<T> {
    const done = reading.then(read);
    reading = done.catch(() => undefined);
    return done;
  }
  function sendCounters(): Promise<void> {
    return inTurn(async () => link.send({ kind: 'metrics', metrics: await readCounters(metrics.registry) }));
  }
  async function answer<Q extends Question>(question: Q): Promise<Answers[Question['about']]> {
    switch (question.about) {
      case 'explain':
        return plane.explain(question.channel);
      case 'metrics':
        plane.collect();
        return await readMetrics(metrics.registry);
      case 'ping':
        return true;
      default:
        return plane[question.about]();
    }
  }
  function answerTo({ id, question }: Extract<SupervisorMessage, { kind: 'ask' }>): void {
    const answered = inTurn(async () => link.send({ kind: 'answer', id, answer: await answer(question) }));
    answered.catch((thrown: unknown) => {
      const { code, message } = toWeirError(thrown);
      link.send({ kind: 'refusal', id, code, message });
    });
  }
  /** The supervisor knows what this process was told, so that each update builds on the one before. */
  function accept({ update }: Extract<SupervisorMessage, { kind: 'update' }>): void {
    if (!plane.accept(update)) throw new Error('An update does not build on what is here.');
  }
  let drained: Promise<void> | undefined;
  async function drain(end: 'shutdown' | 'handover'): Promise<void> {
    await plane.drain(end);
    for (const report of reports) clearInterval(report);
    await sendCounters();
  }
  return {
    async listen(socket) {
      try {
        // The system drops a socket on its way to a process that may open no more files, and says nothing.
        if (socket === undefined) throw new Error('the listening socket did not arrive: too many open files?');
        await plane.listenOnShared(socket);
      } catch (error) {
        for (const report of reports) clearInterval(report);
        await plane.close();
        const { message, code } = error as NodeJS.ErrnoException;
        // What is handed over from another process has no address in the words of the system.
        throw Object.assign(new Error(`${message} (${start.config.listen})`), { code });
      }
      link.send({ kind: 'listening' });
    },
    onMessage(message, again) {
      switch (message.kind) {
        case 'update':
          accept(message);
          break;
        case 'configure':
          plane.configure(message.config);
          break;
        case 'adopt':
          plane.adoptHls(message.sessions);
          break;
        case 'members':
          reportSessions();
          plane.setMembers(message.members);
          break;
        case 'in-flight':
          plane.setInFlightElsewhere(message.counts, message.whole);
          break;
        case 'fleet':
          plane.setFleet(message.orders);
          break;
        case 'sign-with':
          plane.signWith(message.secret);
          break;
        case 'plan':
          plans?.heard(message.channel, message.news);
          break;
        case 'probed':
          plane.probed(message.findings);
          break;
        case 'allow':
          plane.intake.allow(message.connections, again);
          break;
        case 'serve-edges':
          if (again !== undefined) void plane.listenForEdges(again).catch(sayUnshared);
          break;
        case 'ask':
          answerTo(message);
          break;
        case 'drain':
          void this.drain(message.end);
          break;
      }
    },
    drain(end) {
      drained ??= drain(end);
      return drained;
    },
  };
}

function sendHeartbeats(link: WorkerLink, sent: () => number): NodeJS.Timeout {
  let before = performance.eventLoopUtilization();
  const rate = new ByteRate(sent, () => performance.now());
  return setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    const bytesPerSecond = rate.read();
    if (!link.keepsUp()) return;
    link.send({ kind: 'heartbeat', residentBytes: process.memoryUsage.rss(), utilization, bytesPerSecond });
  }, workerHeartbeatMs);
}

function reportInFlight(plane: DataPlane, link: WorkerLink): NodeJS.Timeout {
  return setInterval(() => {
    if (!link.keepsUp()) return;
    const counts = plane.inFlightChanges();
    if (counts.length > 0) link.send({ kind: 'in-flight', counts });
  }, inFlightIntervalMs);
}

function reportIntake({ intake }: DataPlane, link: WorkerLink): NodeJS.Timeout {
  let reported = intake.state;
  const report = () => {
    if (!link.keepsUp()) return;
    reported = intake.state;
    link.send({ kind: 'intake', intake: reported });
  };
  intake.onFull = report;
  return setInterval(() => {
    const { open, accepting } = intake.state;
    if (open !== reported.open || accepting !== reported.accepting) report();
  }, intakeIntervalMs);
}
