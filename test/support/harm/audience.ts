// Well-behaved viewers of HLS, HTTP-FLV and WebSocket-FLV who notice everything that a viewer would: an error, a cut, a gap,
// a step back, a list that stands still.

import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlvViewer } from '../flv-viewer.js';
import { LivePlaylistChecker } from '../hls-checker.js';
import { request } from '../requests.js';
import { waitFor } from '../wait.js';

/** ms between two reloads of a playlist. */
const reloadInterval = 400;
/** ms of media from one video frame to the next that no stream of the stage has: its frames are 40 to 100 ms apart. */
const gap = 500;

/** One player of a channel's HLS on a connection of its own: reloads the list, fetches each segment it lists. */
class HlsPlayer {
  readonly problems: string[] = [];
  readonly #base: string;
  readonly #path: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #checker = new LivePlaylistChecker();
  readonly #fetched = new Set<string>();
  readonly #running: Promise<void>;
  #last: number | undefined;
  #going = true;

  constructor(base: string, channel: string) {
    this.#base = base;
    this.#path = `/live/${channel}.m3u8`;
    this.#running = this.#play();
  }

  /** Segments played so far. */
  get progress(): number {
    return this.#fetched.size;
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#running;
    this.#agent.destroy();
  }

  async #play(): Promise<void> {
    while (this.#going) {
      try {
        await this.#reload();
      } catch (error) {
        this.problems.push(`${this.#path}: ${(error as Error).message}`);
      }
      await sleep(reloadInterval);
    }
  }

  async #reload(): Promise<void> {
    const { status, body } = await request(this.#base + this.#path, this.#agent);
    if (status !== 200) throw new Error(`playlist ${status} ${body}`);
    const playlist = this.#checker.see(body.toString());
    this.problems.push(...this.#checker.violations.splice(0).map((what) => `${this.#path}: ${what}`));
    for (const { sequence, uri } of playlist?.segments ?? []) {
      if (this.#fetched.has(uri)) continue;
      if (this.#last !== undefined && sequence !== this.#last + 1) {
        this.problems.push(`${this.#path}: segment ${sequence} came after ${this.#last}`);
      }
      this.#last = sequence;
      this.#fetched.add(uri);
      const segment = await request(new URL(uri, this.#base + this.#path).href, this.#agent);
      if (segment.status !== 200) throw new Error(`segment ${sequence}: ${segment.status} ${segment.body}`);
      if (segment.body[0] !== 0x47 || segment.body.length % 188 !== 0)
        throw new Error(`segment ${sequence} is no MPEG-TS`);
    }
  }
}

/** One viewer of FLV. What it was given is looked at and let go, so that a long watch costs no more than a short one. */
class FlvPlayer {
  readonly problems: string[] = [];
  readonly #url: string;
  readonly #viewer: FlvViewer;
  readonly #last = new Map<number, number>();
  #keyframes = 0;

  constructor(url: string) {
    this.#url = url;
    this.#viewer = FlvViewer.open(url);
  }

  /** Groups of pictures so far. */
  get progress(): number {
    this.look();
    return this.#keyframes;
  }

  look(): void {
    const { tags, ended, error, status, refusal, headers } = this.#viewer;
    for (const { type, timestamp, keyframe, slot } of tags.splice(0)) {
      if (slot !== undefined || type === 18) continue;
      if (keyframe) this.#keyframes += 1;
      const step = timestamp - (this.#last.get(type) ?? timestamp);
      if (step < 0) this.#say(`was taken back by ${-step} ms`);
      if (step > gap) this.#say(`lost ${step} ms`);
      this.#last.set(type, timestamp);
    }
    if (ended || error !== undefined) this.#say(`was ended: ${status} ${error?.message ?? ''} ${refusal}`);
    if (headers > 1) this.#say('got a second FLV header');
  }

  leave(): void {
    this.#viewer.leave();
  }

  #say(what: string): void {
    const problem = `${this.#url}: ${what}`;
    if (!this.problems.includes(problem)) this.problems.push(problem);
  }
}

/** Viewers of each protocol for each channel. */
export class Audience {
  readonly #hls: readonly HlsPlayer[];
  readonly #flv: readonly FlvPlayer[];

  /** @param each viewers of each protocol and channel */
  constructor(players: string, channels: readonly string[], each: number) {
    const all = channels.flatMap((channel) => Array.from({ length: each }, () => channel));
    const webSockets = players.replace('http:', 'ws:');
    this.#hls = all.map((channel) => new HlsPlayer(players, channel));
    this.#flv = [players, webSockets].flatMap((base) =>
      all.map((channel) => new FlvPlayer(`${base}/live/${channel}.flv`)),
    );
  }

  /** Resolves when every viewer has gone on by some media from now, or one of them has a problem. */
  async goOn(): Promise<void> {
    const all = [...this.#hls, ...this.#flv];
    const from = all.map(({ progress }) => progress);
    await waitFor(() => this.problems().length > 0 || all.every(({ progress }, i) => progress > (from[i] ?? 0)), {
      what: 'all viewers to go on',
      deadline: 60_000,
    });
  }

  /** All that went wrong so far. */
  problems(): string[] {
    for (const player of this.#flv) player.look();
    return [...this.#hls, ...this.#flv].flatMap(({ problems }) => problems);
  }

  async stop(): Promise<void> {
    for (const player of this.#flv) player.leave();
    await Promise.all(this.#hls.map((player) => player.stop()));
  }
}
