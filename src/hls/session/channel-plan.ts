// One session's view of its channel's plan: what was read last, whether anything can be agreed now, and waiting for news.

import type { ChannelName } from '../../model.js';
import { raise, touched } from '../plan/changes.js';
import { readPlan, writePlan } from '../plan/codec.js';
import { type Plan, type PlanPeriod, presentOf, recentOf } from '../plan/plan.js';

/** What is known of where a plan is kept. */
export interface PlanNews {
  /** False: nothing can be read or written now. What was read before holds. */
  readonly available: boolean;
  /** -1: there is none. */
  readonly version: number;
  readonly text: string | undefined;
}

/** Where the plans of channels are kept, as a session sees it. Nothing here waits or throws. */
export interface PlanDesk {
  /** The name of this edge in plans. */
  readonly edge: string;
  /**
   * Calls `heard` with what is there, soon and after each change and each write.
   *
   * @returns undefined when too many are watched, or plans are off
   */
  watch(channel: ChannelName, heard: (news: PlanNews) => void): PlanWatch | undefined;
}

export interface PlanWatch {
  /** Writes the plan if it has that version; `heard` says what came of it. */
  write(version: number, text: string): void;
  close(): void;
}

/** ms that the first playlist of a session waits to hear of the plan. */
const firstNewsMs = 500;
/** ms without a change after which an edge says that the channel is in use: what no edge uses is removed after some hours. */
const touchAfterMs = 60 * 60 * 1000;
/** ms for which an edge goes on by itself when nothing was agreed in time. */
const apartMs = 5_000;

export interface ChannelPlanOptions {
  readonly desk: PlanDesk;
  readonly channel: ChannelName;
  /** Monotonic ms. */
  readonly now: () => number;
  /** Epoch ms. */
  readonly clock: () => number;
  /** The plan is another one. */
  readonly heard: () => void;
  /** Nothing was agreed in time: the session goes on by itself for a while. */
  readonly apart: () => void;
  /** Calls it after so many ms, unless it is ended before. Default: a timer that keeps no process alive. */
  readonly after?: (ms: number, run: () => void) => () => void;
}

/** It watches from the first `ready` until `close`. */
export class ChannelPlan {
  readonly edge: string;
  readonly #desk: PlanDesk;
  readonly #channel: ChannelName;
  readonly #now: () => number;
  readonly #clock: () => number;
  readonly #heard: () => void;
  readonly #apart: () => void;
  readonly #after: (ms: number, run: () => void) => () => void;
  #watch: PlanWatch | undefined;
  #news: PlanNews | undefined;
  #plan: Plan | undefined;
  #unreadable = false;
  #hasWaited = false;
  /** Monotonic ms at which the present text came. */
  #since = 0;
  #apartUntil = Number.NEGATIVE_INFINITY;
  readonly #waiting = new Set<() => void>();

  constructor({ desk, channel, now, clock, heard, apart, after = timerOf }: ChannelPlanOptions) {
    this.edge = desk.edge;
    this.#desk = desk;
    this.#channel = channel;
    this.#now = now;
    this.#clock = clock;
    this.#heard = heard;
    this.#apart = apart;
    this.#after = after;
  }

  /** As it was read last. */
  get plan(): Plan | undefined {
    return this.#plan;
  }

  /** The period that holds, as it was read last. */
  get present(): PlanPeriod | undefined {
    return this.#plan === undefined ? undefined : presentOf(this.#plan);
  }

  /** The endpoints that the channel came from lately, by their tags: some edge may have left them for good reason. */
  get lately(): readonly string[] {
    return this.#plan === undefined ? [] : recentOf(this.#plan, this.#clock()).map(({ source }) => source);
  }

  get version(): number {
    return this.#news?.version ?? -1;
  }

  /** Whether there is anything to follow, or anything can be agreed. */
  get isKnown(): boolean {
    return this.#plan !== undefined || this.canAgree;
  }

  get canAgree(): boolean {
    return this.#news?.available === true && !this.#unreadable && this.#now() >= this.#apartUntil;
  }

  /** ms for which it has been as it is. */
  get ageMs(): number {
    return this.#now() - this.#since;
  }

  /** Watches, and waits a moment for the first news. */
  async ready(): Promise<void> {
    if (this.#watch === undefined) {
      this.#watch = this.#desk.watch(this.#channel, (news) => this.#hear(news));
    }
    if (this.#watch !== undefined && this.#news === undefined && !this.#hasWaited) {
      await this.next(firstNewsMs);
      this.#hasWaited = true;
    }
    if (this.#plan !== undefined && this.canAgree && this.ageMs > touchAfterMs) {
      this.write(touched(this.#plan, this.#clock()));
    }
  }

  /** Writes; what came of it is heard. */
  write(plan: Plan): void {
    const text = writePlan(plan);
    // What no edge could read would leave each by itself.
    if (readPlan(text) === undefined) this.goApart();
    else this.#watch?.write(this.version, text);
  }

  /** Resolves with the next news, or after so many ms. */
  next(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        end();
        this.#waiting.delete(done);
        resolve();
      };
      const end = this.#after(ms, done);
      this.#waiting.add(done);
    });
  }

  /** Nothing was agreed in time. */
  goApart(): void {
    this.#apartUntil = this.#now() + apartMs;
    this.#apart();
  }

  /** What this edge has listed of a playlist beyond where an open stretch begins is said at once. */
  raise(list: string, period: number, last: number): void {
    const plan = this.#plan;
    if (plan === undefined || !this.canAgree || period === presentOf(plan).number) return;
    const raised = raise(plan, list, last);
    if (raised !== undefined) this.write(raised);
  }

  close(): void {
    this.#watch?.close();
    this.#watch = undefined;
    for (const done of [...this.#waiting]) done();
  }

  #hear(news: PlanNews): void {
    const before = this.#news;
    // What was read before is held to while nothing can be read.
    this.#news = news.available || before === undefined ? news : { ...before, available: false };
    const { text } = this.#news;
    if (before === undefined || text !== before.text) {
      this.#since = this.#now();
      const plan = text === undefined ? undefined : readPlan(text);
      this.#unreadable = text !== undefined && plan === undefined;
      this.#plan = plan;
      this.#heard();
    }
    for (const done of [...this.#waiting]) done();
  }
}

function timerOf(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms).unref();
  return () => clearTimeout(timer);
}
