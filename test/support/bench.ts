// A channel's players before one playlist, driven by hand: what an origin lists goes in, what players see is checked.

import assert from 'node:assert/strict';
import { parsePlaylist } from '../../src/hls/playlist/parser.js';
import { advance, type StepOutcome } from '../../src/hls/presentation/advance.js';
import type { MediaWindow } from '../../src/hls/presentation/live-window.js';
import { firstPeriod, moveTo, type Period } from '../../src/hls/presentation/period.js';
import { renderWindow } from '../../src/hls/presentation/render-window.js';
import { type Locate, queryMark, withPlayerQuery } from '../../src/hls/url/rewrite.js';
import { LivePlaylistChecker } from './hls-checker.js';

export interface SeeOptions {
  readonly allowEnd?: boolean;
  readonly bytesDiffer?: boolean;
  /** A piece of the target of what nobody can fetch any more. */
  readonly lost?: string;
}

export class Bench {
  period: Period;
  window: MediaWindow | undefined;
  now = 1_000_000;
  change: StepOutcome | undefined;
  readonly checker = new LivePlaylistChecker();
  #incarnations = 0;

  constructor(source: string) {
    this.period = firstPeriod(source);
  }

  moveTo(source: string): void {
    this.period = moveTo(this.period, source);
  }

  /** A playlist of the period's origin, and what players see of it then. */
  see(text: string, options: SeeOptions = {}): StepOutcome {
    const change = this.take(text, options);
    if (this.window !== undefined) this.checker.see(this.text);
    return change;
  }

  /** A playlist that no player asks for. */
  take(text: string, options: SeeOptions = {}): StepOutcome {
    const playlist = parsePlaylist(text);
    assert.equal(playlist.kind, 'media');
    if (playlist.kind !== 'media') throw new Error('unreachable');
    this.#incarnations += 1;
    const { source } = this.period;
    const stepped = advance(this.period, this.window, playlist, {
      now: this.now,
      locate: (incarnation): Locate => locateAt(source, incarnation),
      nextIncarnation: `n${this.#incarnations}`,
      allowEnd: options.allowEnd ?? true,
      bytesDiffer: options.bytesDiffer ?? false,
      lost: (entry) => options.lost !== undefined && entry.target.includes(options.lost),
    });
    this.period = stepped.period;
    this.window = stepped.window;
    this.change = stepped.change;
    return stepped.change;
  }

  get text(): string {
    assert.ok(this.window !== undefined);
    return withPlayerQuery(renderWindow(this.window), '');
  }

  get uris(): string[] {
    return this.text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  }
}

function locateAt(source: string, incarnation: string): Locate {
  return (uri) => {
    if (/^(data|skd|https):/.test(uri)) return undefined;
    const pin = `weir=${source}${incarnation === '' ? '' : `.${incarnation}`}`;
    return { uri: `${uri}?${queryMark}${pin}`, target: `/live/${uri}?${pin}`, variable: uri.includes('{$') };
  };
}

export interface ListOptions {
  readonly target?: number;
  readonly duration?: number;
  readonly prefix?: string;
  /** Epoch ms of sequence number 0. */
  readonly clock?: number;
  readonly extra?: string;
  readonly ended?: boolean;
  /** Lines before a segment. */
  readonly before?: (sequence: number) => string;
}

/** A media playlist of `count` segments from number `first` on. */
export function list(first: number, count: number, options: ListOptions = {}): string {
  const { target = 2, duration = 2, prefix = 's', clock, extra = '', ended = false, before } = options;
  const segments = Array.from({ length: count }, (_, index) => {
    const sequence = first + index;
    const time =
      clock === undefined
        ? ''
        : `#EXT-X-PROGRAM-DATE-TIME:${new Date(clock + sequence * duration * 1000).toISOString()}\n`;
    return `${before?.(sequence) ?? ''}${time}#EXTINF:${duration.toFixed(3)},\n${prefix}${sequence}.ts\n`;
  });
  const head = `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:${target}\n#EXT-X-MEDIA-SEQUENCE:${first}\n`;
  return `${head}${extra}${segments.join('')}${ended ? '#EXT-X-ENDLIST\n' : ''}`;
}
