// Several edges of one channel on a clock that a test turns: origins that list as time passes, one node in which the plan is kept,
// and what each edge shows its players.

import assert from 'node:assert/strict';
import { listName } from '../../src/hls/plan/codec.js';
import { parsePlaylist } from '../../src/hls/playlist/parser.js';
import type { MediaWindow } from '../../src/hls/presentation/live-window.js';
import { renderWindow } from '../../src/hls/presentation/render-window.js';
import { ChannelPlan, type PlanNews } from '../../src/hls/session/channel-plan.js';
import { PeriodTimeline } from '../../src/hls/session/timeline.js';
import { type Locate, queryMark, withPlayerQuery } from '../../src/hls/url/rewrite.js';
import type { ChannelName } from '../../src/model.js';
import { LivePlaylistChecker } from './hls-checker.js';

/** Seconds a segment. */
const segmentSeconds = 2;
const listed = 6;

/** An origin that makes a segment every two seconds. */
export class FleetOrigin {
  alive = true;
  /** Numbers of its own that begin with a discontinuity. */
  readonly tagged = new Set<number>();
  #startedAt = 0;
  #prefix: string;

  constructor(
    readonly tag: string,
    private first: number,
    private readonly clock: boolean,
  ) {
    this.#prefix = tag;
  }

  /** It counts from zero again, with other names. */
  restart(at: number): void {
    this.#startedAt = at - 3 * segmentSeconds * 1000;
    this.first = 0;
    this.#prefix += 'r';
  }

  newest(at: number): number {
    return this.first + listed + Math.floor((at - this.#startedAt) / (segmentSeconds * 1000));
  }

  playlist(at: number): string {
    const last = this.newest(at);
    const begin = Math.max(this.first, last - listed + 1);
    const counted = [...this.tagged].filter((number) => number < begin).length;
    const lines = ['#EXTM3U', '#EXT-X-VERSION:3', '#EXT-X-TARGETDURATION:2', `#EXT-X-MEDIA-SEQUENCE:${begin}`];
    if (counted > 0) lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${counted}`);
    for (let number = begin; number <= last; number += 1) {
      if (this.tagged.has(number)) lines.push('#EXT-X-DISCONTINUITY');
      if (this.clock) {
        const time = this.#startedAt + (number - this.first) * segmentSeconds * 1000;
        lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(time).toISOString()}`);
      }
      lines.push('#EXTINF:2.000,', `${this.#prefix}${number}.ts`);
    }
    return `${lines.join('\n')}\n`;
  }
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** The node in which the plan is, and the clock. */
export class PlanFleet {
  now = 0;
  readonly origins = new Map<string, FleetOrigin>();
  readonly random: () => number;
  readonly channel = 'news' as ChannelName;
  writes = 0;
  #text: string | undefined;
  #version = -1;
  #events: Event[] = [];
  #order = 0;
  readonly #watchers = new Set<(later: number) => void>();

  constructor(random: () => number) {
    this.random = random;
  }

  /** Epoch ms at the clock's zero. */
  static readonly epoch = 1_700_000_000_000;

  after(ms: number, run: () => void): () => void {
    this.#order += 1;
    const event = { at: this.now + Math.max(0, ms), order: this.#order, run };
    this.#events.push(event);
    return () => {
      this.#events = this.#events.filter((other) => other !== event);
    };
  }

  /** Lets that much time pass. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      const next = this.#events.reduce<Event | undefined>(
        (first, event) =>
          first === undefined || event.at < first.at || (event.at === first.at && event.order < first.order)
            ? event
            : first,
        undefined,
      );
      if (next === undefined || next.at > until) break;
      this.#events = this.#events.filter((event) => event !== next);
      this.now = next.at;
      next.run();
      // What waits for a promise goes on before the clock does.
      await new Promise(setImmediate);
    }
    this.now = until;
  }

  read(): Pick<PlanNews, 'version' | 'text'> {
    return { version: this.#version, text: this.#text };
  }

  /** Compare and set. */
  write(version: number, text: string): void {
    this.writes += 1;
    if (version !== this.#version) return;
    this.#version += 1;
    this.#text = text;
    for (const watcher of this.#watchers) watcher(0);
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }
}

/** One edge: what it would show a player who asks now, and what it has shown. */
export class FleetEdge {
  /** ms from a write to its news here. */
  newsMs = 20;
  /** The clock of its machine is that much off. */
  skewMs = 0;
  /** Nothing is heard of the plan, and nothing can be written. */
  cut = false;
  /** Origins that this edge does not reach. */
  readonly unreachable = new Set<string>();
  /** ms by which what origins tell it is old. */
  lagMs = 0;
  window: MediaWindow | undefined;
  readonly checker = new LivePlaylistChecker();
  source: string;
  #plan: ChannelPlan;
  #timeline: PeriodTimeline;
  #incarnations = 0;
  #busy = false;
  #hear: ((news: PlanNews) => void) | undefined;
  #unwatch: (() => void) | undefined;
  readonly #list = listName({ suffix: '.m3u8', pin: '', originQuery: '' });

  constructor(
    readonly name: string,
    private readonly fleet: PlanFleet,
    preferred: string,
  ) {
    this.source = preferred;
    [this.#plan, this.#timeline] = this.#begin();
  }

  /** The process ends, and another begins that knows nothing. */
  restart(): void {
    this.#plan.close();
    this.window = undefined;
    this.#busy = false;
    [this.#plan, this.#timeline] = this.#begin();
  }

  setCut(cut: boolean): void {
    this.cut = cut;
    this.#tell();
  }

  #begin(): [ChannelPlan, PeriodTimeline] {
    const { fleet } = this;
    const now = () => fleet.now;
    const clock = () => PlanFleet.epoch + fleet.now + this.skewMs;
    const plan: ChannelPlan = new ChannelPlan({
      desk: {
        edge: this.name,
        watch: (_channel, heard) => {
          this.#hear = heard;
          this.#unwatch = fleet.watch(() => this.#tell());
          this.#tell();
          return {
            write: (version, text) => {
              fleet.after(this.newsMs / 2, () => {
                if (!this.cut) fleet.write(version, text);
                this.#tell();
              });
            },
            close: () => {
              this.#unwatch?.();
              this.#hear = undefined;
            },
          };
        },
      },
      channel: fleet.channel,
      now,
      clock,
      after: (ms, run) => fleet.after(ms, run),
      apart: () => undefined,
      heard: () => {
        const last = this.window?.entries.at(-1)?.sequence;
        if (last !== undefined && this.window !== undefined) plan.raise(this.#list, this.window.period, last);
      },
    });
    return [plan, new PeriodTimeline(plan, now, clock)];
  }

  #tell(): void {
    const heard = this.#hear;
    const { fleet } = this;
    fleet.after(this.newsMs, () => {
      if (heard !== this.#hear) return;
      heard?.(this.cut ? { available: false, version: -1, text: undefined } : { available: true, ...fleet.read() });
    });
  }

  get text(): string | undefined {
    return this.window === undefined ? undefined : withPlayerQuery(renderWindow(this.window), '');
  }

  #reaches(tag: string): boolean {
    return !this.unreachable.has(tag) && this.fleet.origins.get(tag)?.alive === true;
  }

  #choose(): string | undefined {
    const planned = this.#plan.present?.source;
    if (planned !== undefined && this.#reaches(planned)) return planned;
    if (this.#reaches(this.source) && !this.#plan.lately.includes(this.source)) return this.source;
    const reached = [...this.fleet.origins.keys()].filter((tag) => this.#reaches(tag));
    return reached.find((tag) => !this.#plan.lately.includes(tag)) ?? reached[0];
  }

  /** A player asks: the edge asks an origin, and shows what comes of it. */
  async poll(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    const plan = this.#plan;
    try {
      await this.#poll(plan);
    } finally {
      if (plan === this.#plan) this.#busy = false;
    }
  }

  async #poll(plan: ChannelPlan): Promise<void> {
    const { fleet } = this;
    await plan.ready();
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const planned = plan.present?.number;
      const source = this.#choose();
      const origin = source === undefined ? undefined : fleet.origins.get(source);
      if (source === undefined || origin === undefined) return;
      const text = origin.playlist(fleet.now - this.lagMs);
      await new Promise<void>((resolve) => fleet.after(5, resolve));
      if (plan !== this.#plan) return;
      const playlist = parsePlaylist(text);
      assert.ok(playlist.kind === 'media');
      this.#incarnations += 1;
      const nextIncarnation = `${this.name}${this.#incarnations}`;
      const again = () =>
        this.#timeline.propose({
          source,
          list: this.#list,
          window: this.window,
          playlist,
          step: {
            now: fleet.now,
            allowEnd: true,
            bytesDiffer: false,
            nextIncarnation,
            locate: (incarnation): Locate => locateAt(source, incarnation),
            lost: () => false,
          },
        });
      const isAstray = () => {
        const { present } = plan;
        return present !== undefined && present.number !== planned && present.source !== source;
      };
      const agreed = await this.#timeline.agree(again(), again, isAstray);
      if (plan !== this.#plan) return;
      if (agreed === undefined) continue;
      const proposal = agreed.window === this.window ? agreed : again();
      this.source = source;
      this.#timeline.enter(source);
      if (this.#timeline.commit(proposal)) this.window = proposal.stepped.window;
      if (this.text !== undefined) this.checker.see(this.text);
      return;
    }
  }
}

function locateAt(source: string, incarnation: string): Locate {
  const pin = `weir=${source}${incarnation === '' ? '' : `.${incarnation}`}`;
  return (uri) => ({ uri: `${uri}?${queryMark}${pin}`, target: `/live/${uri}?${pin}`, variable: false });
}

/** What several edges have shown, taken together: a number that two of them show stands for one segment. */
export function contradictions(edges: readonly FleetEdge[]): string[] {
  const known = new Map<number, { edge: string; said: string }>();
  const found: string[] = [];
  for (const { name, checker } of edges) {
    for (const { sequence, uri, discontinuitySequence, discontinuity } of checker.known.values()) {
      const said = `${uri} in ${discontinuitySequence}${discontinuity ? ' tagged' : ''}`;
      const before = known.get(sequence);
      if (before === undefined) known.set(sequence, { edge: name, said });
      else if (before.said !== said) found.push(`${sequence} is ${before.said} at ${before.edge}, ${said} at ${name}`);
    }
  }
  return found;
}
