// A strict player of one channel that goes to another edge with every request: it says whenever two edges do not show the same.

import { type Agent, get } from 'node:http';
import { type CheckedSegment, readMediaPlaylist } from './hls-checker.js';

interface Shown {
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly last: number;
}

/** Segments by which an edge may be behind another one: each asks origins at its own times. */
const maxLag = 2;

export class HoppingClient {
  readonly faults: string[] = [];
  /** Every segment ever listed, by its number. */
  readonly known = new Map<number, CheckedSegment>();
  readonly #numbers = new Map<string, number>();
  readonly #byEdge = new Map<string, Shown>();
  readonly #startedAt = performance.now();
  requests = 0;
  /** Answers that were no playlist, by status; 0: no answer. */
  readonly refused = new Map<number, number>();
  segments = 0;
  /** Segments that no edge had. */
  readonly missing: string[] = [];
  highest = -1;
  lowest = Number.POSITIVE_INFINITY;
  /** Monotonic ms at which the list grew last, and the longest that it did not. */
  #grownAt: number | undefined;
  longestStandstillMs = 0;

  /** @param path of the playlist */
  constructor(
    private readonly path: string,
    private readonly agent: Agent,
  ) {}

  /** Asks that edge, and takes what is new from another one. @param run another one for each start of an edge */
  async ask(edge: { readonly players: string; readonly run: string }, other: string): Promise<void> {
    const answer = await fetchText(edge.players + this.path, this.agent);
    this.requests += 1;
    if (answer.status !== 200) {
      this.refused.set(answer.status, (this.refused.get(answer.status) ?? 0) + 1);
      return;
    }
    const fresh = this.#see(answer.text, edge.run);
    for (const segment of fresh) {
      const { pathname, search } = new URL(segment.uri, `http://edge${this.path}`);
      const object = await fetchText(other + pathname + search, this.agent);
      this.segments += 1;
      if (object.status !== 200) this.missing.push(`${segment.sequence} ${segment.uri}: ${object.status}`);
    }
  }

  /** Of an edge that ended: the next one at its place begins anew. */
  forget(run: string): void {
    this.#byEdge.delete(run);
  }

  /** Numbers that no edge ever listed. */
  get skipped(): number[] {
    const skipped: number[] = [];
    for (let number = this.lowest; number < this.highest; number += 1)
      if (!this.known.has(number)) skipped.push(number);
    return skipped;
  }

  #say(what: string): void {
    this.faults.push(`${((performance.now() - this.#startedAt) / 1000).toFixed(1)} s: ${what}`);
  }

  #see(text: string, run: string): CheckedSegment[] {
    const playlist = readMediaPlaylist(text);
    const { mediaSequence, discontinuitySequence, segments } = playlist;
    const last = mediaSequence + segments.length - 1;
    const before = this.#byEdge.get(run);
    if (before !== undefined) {
      if (mediaSequence < before.mediaSequence)
        this.#say(`${run}: back to ${mediaSequence} from ${before.mediaSequence}`);
      if (discontinuitySequence < before.discontinuitySequence) this.#say(`${run}: discontinuity sequence went back`);
      if (last < before.last) this.#say(`${run}: the end went back from ${before.last} to ${last}`);
    }
    this.#byEdge.set(run, { mediaSequence, discontinuitySequence, last });
    if (last < this.highest - maxLag) this.#say(`${run}: at ${last}, while another edge was at ${this.highest}`);
    const fresh = segments.filter((segment) => this.#check(segment, run));
    this.lowest = Math.min(this.lowest, mediaSequence);
    const now = performance.now();
    this.longestStandstillMs = Math.max(this.longestStandstillMs, now - (this.#grownAt ?? now));
    if (last > this.highest) this.#grownAt = now;
    this.highest = Math.max(this.highest, last);
    return fresh;
  }

  /** @returns whether it is new */
  #check(segment: CheckedSegment, run: string): boolean {
    const known = this.known.get(segment.sequence);
    if (known !== undefined) {
      for (const field of ['uri', 'duration', 'discontinuity', 'discontinuitySequence'] as const) {
        if (known[field] !== segment[field])
          this.#say(`${run}: ${field} of ${segment.sequence} is ${segment[field]}, was ${known[field]}`);
      }
      return false;
    }
    const other = this.#numbers.get(segment.uri);
    if (other !== undefined) this.#say(`${run}: ${segment.uri} is ${other} and ${segment.sequence}`);
    this.#numbers.set(segment.uri, segment.sequence);
    this.known.set(segment.sequence, segment);
    return true;
  }
}

function fetchText(url: string, agent: Agent): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const failed = () => resolve({ status: 0, text: '' });
    const request = get(url, { agent, timeout: 8_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      response.on('error', failed);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', failed);
  });
}
