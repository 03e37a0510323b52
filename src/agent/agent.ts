// Keeps the streams of a media server registered while they are published, and reports its load.

import type { Logger } from '../log.js';
import type { EndpointInfo, Registrar, Registration } from '../registrar/registrar.js';
import { loadOf, type Usage } from './load.js';
import type { StreamSource } from './poller.js';
import { Presence } from './presence.js';
import { isDue, type Reported, type Standing, type Step, stepsTo } from './steps.js';
import { type Hook, keyOf, type Reading } from './stream.js';
import { type LeftOut, type Naming, type Wanted, wantedOf } from './wanted.js';

export interface AgentSettings {
  readonly naming: Naming;
  /** Without an answer for so long, all streams are taken out. */
  readonly silenceMs: number;
  /** After this time a small change of a report is written too. */
  readonly reportIntervalMs: number;
  readonly maxStreams: number;
  /** Viewers that the server can serve; undefined: not stated. */
  readonly maxViewers: number | undefined;
  readonly traits: NonNullable<EndpointInfo['traits']>;
}

/** The clock, the timers and the load of this machine, handed in. */
export interface Surroundings {
  /** Monotonic ms. */
  now(): number;
  /** Calls `call` after this time. Returns a function that cancels it. */
  after(delayMs: number, call: () => void): () => void;
  /** The load of the machine since the last call; called once for each answer. */
  usage(): Usage;
}

/** Left-out streams that are logged at a time. */
const maxLogged = 20;
/** Of a name in the log. */
const maxNameChars = 100;

const whys: Record<LeftOut['why'], string> = {
  name: 'a stream is not registered: its name can be no channel (see --channel)',
  address: 'a stream is not registered: its address can be none (see --address and --host)',
  taken: 'a stream is not registered: another one has its channel (see --channel)',
};

/** One agent: it holds a registration for each published stream, until it is closed. */
export class Agent {
  readonly #presence: Presence;
  readonly #standing = new Map<string, Standing>();
  readonly #registrations = new Map<string, Registration>();
  /** Left-out streams that were logged and are still left out. */
  #logged = new Set<string>();
  #loggedTooMany = false;
  #usage: Usage = {};
  /** The shared report, as it was written last. */
  #reported: Reported = { load: undefined, at: 0 };
  #cancelSilence: () => void = () => {};
  /** An answer is due before the silence. */
  #isExpecting = false;
  #over = false;
  readonly #settings: AgentSettings;
  readonly #registrar: Registrar;
  readonly #around: Surroundings;
  readonly #logger: Logger;

  constructor(settings: AgentSettings, registrar: Registrar, around: Surroundings, logger: Logger) {
    this.#settings = settings;
    this.#registrar = registrar;
    this.#around = around;
    this.#logger = logger;
    this.#presence = new Presence(settings.maxStreams);
  }

  /** Channels that are registered, or about to be. */
  get channels(): readonly string[] {
    return [...this.#standing.keys()];
  }

  answered(reading: Reading, askedAt: number): void {
    if (this.#over) return;
    const machine = this.#around.usage();
    this.#usage = { ...machine, cpu: larger(machine.cpu, reading.cpu) };
    this.#expectAnswer();
    const leftOut = this.#presence.answered(reading.streams, askedAt);
    if (leftOut > 0 && !this.#loggedTooMany) {
      this.#logger.warn({ streams: leftOut }, 'more streams than --streams allows: the others are not registered');
    }
    this.#loggedTooMany = leftOut > 0;
    this.#apply();
  }

  gone(): void {
    if (!this.#over) this.#silent('nobody listens there');
  }

  /** The server called: a stream begins or ends. */
  called(hook: Hook): void {
    if (this.#over || !this.#presence.called(hook, this.#around.now())) return;
    // A call is no answer: a stream that is known only from a call is taken out when no answer follows.
    if (!this.#isExpecting) this.#expectAnswer();
    this.#apply();
  }

  /** Reports all endpoints as draining. From now on nothing is registered or taken out. */
  drain(): void {
    this.#end();
    for (const registration of this.#registrations.values()) registration.update({ status: 'draining' });
  }

  /** Takes everything out. */
  async close(): Promise<void> {
    this.#end();
    await this.#registrar.close();
  }

  #end(): void {
    this.#over = true;
    this.#cancelSilence();
  }

  #expectAnswer(): void {
    this.#cancelSilence();
    this.#isExpecting = true;
    this.#cancelSilence = this.#around.after(this.#settings.silenceMs, () => this.#silent('it does not answer'));
  }

  #silent(reason: string): void {
    this.#cancelSilence();
    this.#isExpecting = false;
    this.#presence.clear();
    if (this.#standing.size > 0) {
      this.#logger.warn(
        { reason, streams: this.#standing.size },
        'the media server is silent: its streams are taken out',
      );
    }
    this.#apply();
  }

  #apply(): void {
    const { streams } = this.#presence;
    const { naming, reportIntervalMs } = this.#settings;
    const { shared } = this.#registrar;
    const isShared = shared?.stands === true;
    const load = this.#load();
    const { wanted, leftOut } = wantedOf(streams, isShared ? undefined : load, naming);
    this.#log(leftOut);
    const now = this.#around.now();
    if (shared !== undefined && isDue(this.#reported, load, now, reportIntervalMs)) {
      this.#reported = { load, at: now };
      shared.update(load);
    }
    // The shared report says that all of them live: a small change of one is worth no write.
    const smallChangesMs = isShared ? Number.POSITIVE_INFINITY : reportIntervalMs;
    for (const step of stepsTo(wanted, this.#standing, now, smallChangesMs)) this.#take(step, now);
  }

  #load(): number | undefined {
    const { maxViewers } = this.#settings;
    const known = this.#presence.streams.map(({ viewers }) => viewers).filter((count) => count !== undefined);
    const viewers = known.length === 0 || maxViewers === undefined ? undefined : sum(known) / maxViewers;
    return loadOf({ ...this.#usage, viewers });
  }

  #take(step: Step, now: number): void {
    if (step.kind === 'remove') {
      this.#registrations.get(step.channel)?.close();
      this.#registrations.delete(step.channel);
      this.#standing.delete(step.channel);
      this.#logger.info({ channel: step.channel }, 'stream ended');
      return;
    }
    const { channel, ...info } = step.wanted;
    this.#standing.set(channel, { ...step.wanted, at: now });
    if (step.kind === 'update') this.#registrations.get(channel)?.update(info);
    else this.#put(channel, info);
  }

  #put(channel: string, info: Omit<Wanted, 'channel'>): void {
    this.#logger.info({ channel, address: info.address }, 'stream found');
    const registration = this.#registrar.register(channel, { ...info, traits: this.#settings.traits });
    this.#registrations.set(channel, registration);
    // The registrar tries again, and logs that.
    registration.made.catch((error: Error) => {
      this.#logger.error({ channel, reason: error.message }, 'the registry refuses it');
    });
  }

  /** Logs each once while it is left out, and a bounded number at a time: publishers choose the names. */
  #log(leftOut: readonly LeftOut[]): void {
    const logged = new Set<string>();
    for (const { stream, why } of leftOut.slice(0, maxLogged)) {
      const key = `${why}\n${keyOf(stream)}`;
      logged.add(key);
      if (this.#logged.has(key)) continue;
      this.#logger.warn(
        { app: stream.app.slice(0, maxNameChars), stream: stream.name.slice(0, maxNameChars) },
        whys[why],
      );
    }
    this.#logged = logged;
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);

function larger(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.max(a, b);
}

export interface RunSettings {
  /** From the report that the endpoints are draining to their end; 0: not reported. */
  readonly drainMs: number;
}

/** Runs until the signal aborts; then drains and takes everything out. */
export async function runAgent(
  agent: Agent,
  source: StreamSource,
  { drainMs }: RunSettings,
  around: Pick<Surroundings, 'after'>,
  signal: AbortSignal,
): Promise<void> {
  await source.run(agent, signal);
  if (drainMs > 0 && agent.channels.length > 0) {
    agent.drain();
    await new Promise<void>((resolve) => around.after(drainMs, resolve));
  }
  await agent.close();
}
