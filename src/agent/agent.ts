// Keeps the streams of a media server registered while they are published, and says how busy it is.

import type { Logger } from '../log.js';
import type { EndpointInfo, Registrar, Registration } from '../registrar/registrar.js';
import { loadOf, type Usage } from './load.js';
import type { Source } from './poller.js';
import { Presence } from './presence.js';
import { type Standing, type Step, stepsTo } from './steps.js';
import { type Hook, keyOf, type Reading } from './stream.js';
import { type LeftOut, type Naming, type Wanted, wantedOf } from './wanted.js';

export interface AgentSettings {
  readonly naming: Naming;
  /** Without an answer for so many ms all streams are taken out. */
  readonly silence: number;
  /** ms after which a report that changed little is written. */
  readonly reportInterval: number;
  /** Streams that are registered at most. */
  readonly mostStreams: number;
  /** Viewers that the server can serve at most; undefined: not stated. */
  readonly mostViewers: number | undefined;
  readonly traits: NonNullable<EndpointInfo['traits']>;
}

/** Everything that time and the machine have to do with. */
export interface Surroundings {
  /** Monotonic ms. */
  now(): number;
  /** Calls after so many ms unless what is returned is called before. */
  after(delay: number, call: () => void): () => void;
  /** How busy the machine is since it was asked before; asked once an answer. */
  usage(): Usage;
}

/** Streams that are left out and logged. */
const mostTold = 20;
/** Characters of a name in the log. */
const longestName = 100;

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
  /** Left-out streams that were told; forgotten with them. */
  #told = new Set<string>();
  #toldTooMany = false;
  #usage: Usage = {};
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
    this.#presence = new Presence(settings.mostStreams);
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
    if (leftOut > 0 && !this.#toldTooMany) {
      this.#logger.warn({ streams: leftOut }, 'more streams than --streams allows: the others are not registered');
    }
    this.#toldTooMany = leftOut > 0;
    this.#apply();
  }

  gone(): void {
    if (!this.#over) this.#silent('nobody listens there');
  }

  /** What the server called about. */
  called(hook: Hook): void {
    if (this.#over || !this.#presence.called(hook, this.#around.now())) return;
    // A call is no answer: who is only heard of this way is out when none comes.
    if (!this.#isExpecting) this.#expectAnswer();
    this.#apply();
  }

  /** Says of all endpoints that they are about to end; from now on nothing is registered or taken out. */
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
    this.#cancelSilence = this.#around.after(this.#settings.silence, () => this.#silent('it does not answer'));
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
    const { wanted, leftOut } = wantedOf(streams, this.#load(), this.#settings.naming);
    this.#tell(leftOut);
    const now = this.#around.now();
    for (const step of stepsTo(wanted, this.#standing, now, this.#settings.reportInterval)) this.#take(step, now);
  }

  #load(): number | undefined {
    const { mostViewers } = this.#settings;
    const known = this.#presence.streams.map(({ viewers }) => viewers).filter((count) => count !== undefined);
    const viewers = known.length === 0 || mostViewers === undefined ? undefined : sum(known) / mostViewers;
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
    // The registrar goes on trying, and logs it.
    registration.made.catch((error: Error) => {
      this.#logger.error({ channel, reason: error.message }, 'the registry refuses it');
    });
  }

  /** Each once for as long as it is left out, and only so many at a time: names are a publisher's choice. */
  #tell(leftOut: readonly LeftOut[]): void {
    const told = new Set<string>();
    for (const { stream, why } of leftOut.slice(0, mostTold)) {
      const key = `${why}\n${keyOf(stream)}`;
      told.add(key);
      if (this.#told.has(key)) continue;
      this.#logger.warn(
        { app: stream.app.slice(0, longestName), stream: stream.name.slice(0, longestName) },
        whys[why],
      );
    }
    this.#told = told;
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);

function larger(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.max(a, b);
}

export interface RunSettings {
  /** ms between saying that the endpoints are about to end and their end; 0: not said. */
  readonly drain: number;
}

/** Runs until the signal aborts; then takes everything out, after the drain. */
export async function runAgent(
  agent: Agent,
  source: Source,
  { drain }: RunSettings,
  around: Pick<Surroundings, 'after'>,
  signal: AbortSignal,
): Promise<void> {
  await source.run(agent, signal);
  if (drain > 0 && agent.channels.length > 0) {
    agent.drain();
    await new Promise<void>((resolve) => around.after(drain, resolve));
  }
  await agent.close();
}
