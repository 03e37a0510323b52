// Pure: the channels of a snapshot as an immutable map in buckets, and the buckets in pages. A change copies the buckets and
// pages that it touches and shares all others with the previous map. So a report costs the same with ten channels and with a
// hundred thousand, and two maps are compared without a look at what they share.

import { mix32 } from '../mix.js';
import type { Channel, ChannelMap, ChannelName } from '../model.js';

type Bucket = ReadonlyMap<ChannelName, Channel>;
type Page = readonly Bucket[];

/** An update copies as many references as there are pages, and for each bucket that it touches the bucket and its page. */
const pageCount = 64;
const bucketsPerPage = 64;
const emptyPage: Page = Array.from({ length: bucketsPerPage }, () => new Map());

/** FNV-1a over UTF-16 units, mixed. */
function bucketOf(name: ChannelName): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return mix32(hash) % (pageCount * bucketsPerPage);
}

/** The bucket of this number. */
const at = (pages: readonly Page[], index: number): Bucket | undefined =>
  pages[Math.floor(index / bucketsPerPage)]?.[index % bucketsPerPage];

/** The immutable map. Each change makes a new one. */
export class Channels implements ChannelMap {
  static readonly empty = new Channels(
    Array.from({ length: pageCount }, () => emptyPage),
    0,
  );
  readonly size: number;
  readonly #pages: readonly Page[];

  private constructor(pages: readonly Page[], size: number) {
    this.#pages = pages;
    this.size = size;
  }

  get(name: ChannelName): Channel | undefined {
    return at(this.#pages, bucketOf(name))?.get(name);
  }

  has(name: ChannelName): boolean {
    return this.get(name) !== undefined;
  }

  *keys(): Generator<ChannelName> {
    for (const page of this.#pages) for (const bucket of page) yield* bucket.keys();
  }

  *values(): Generator<Channel> {
    for (const page of this.#pages) for (const bucket of page) yield* bucket.values();
  }

  /** A new map with what `change` does to the draft; this map stays as it is. */
  edit(change: (draft: Draft) => void): Channels {
    const pages: Page[] = this.#pages.slice();
    const ownPages = new Map<number, Bucket[]>();
    const ownBuckets = new Map<number, Map<ChannelName, Channel>>();
    let { size } = this;
    const pageFor = (number: number): Bucket[] => {
      const own = ownPages.get(number) ?? (pages[number] ?? emptyPage).slice();
      ownPages.set(number, own);
      pages[number] = own;
      return own;
    };
    const bucketFor = (name: ChannelName): Map<ChannelName, Channel> => {
      const index = bucketOf(name);
      let bucket = ownBuckets.get(index);
      if (bucket === undefined) {
        const page = pageFor(Math.floor(index / bucketsPerPage));
        bucket = new Map(page[index % bucketsPerPage]);
        ownBuckets.set(index, bucket);
        page[index % bucketsPerPage] = bucket;
      }
      return bucket;
    };
    change({
      get: (name) => at(pages, bucketOf(name))?.get(name),
      set: (channel) => {
        const bucket = bucketFor(channel.name);
        if (!bucket.has(channel.name)) size += 1;
        bucket.set(channel.name, channel);
      },
      delete: (name) => {
        if (bucketFor(name).delete(name)) size -= 1;
      },
    });
    return new Channels(pages, size);
  }

  /**
   * The next step from this map towards another one, in whole buckets. A step ends after the bucket with which the changed
   * channels have `pieceSize` endpoints. `isLast`: the step leads to `target`.
   */
  stepTo(target: Channels, pieceSize: number): ChannelsStep {
    const changes: ChannelChange[] = [];
    let { size } = this;
    let weight = 0;
    for (const [p, after] of target.#pages.entries()) {
      const before = this.#pages[p] ?? emptyPage;
      if (before === after) continue;
      for (const [b, bucket] of after.entries()) {
        const known = before[b] ?? bucket;
        if (known === bucket) continue;
        if (weight >= pieceSize) {
          const page = [...after.slice(0, b), ...before.slice(b)];
          const pages = [...target.#pages.slice(0, p), page, ...this.#pages.slice(p + 1)];
          return { changes, reached: new Channels(pages, size), isLast: false };
        }
        weight += compareBuckets(known, bucket, changes);
        size += bucket.size - known.size;
      }
    }
    return { changes, reached: target, isLast: true };
  }
}

export interface Draft {
  get(name: ChannelName): Channel | undefined;
  set(channel: Channel): void;
  delete(name: ChannelName): void;
}

/** A channel before and after a step. At most one of the two is undefined. */
export interface ChannelChange {
  readonly before: Channel | undefined;
  readonly after: Channel | undefined;
}

export interface ChannelsStep {
  readonly changes: readonly ChannelChange[];
  readonly reached: Channels;
  readonly isLast: boolean;
}

/** Adds the channels that differ to `changes`; returns how many endpoints they have. */
function compareBuckets(before: Bucket, after: Bucket, changes: ChannelChange[]): number {
  let endpoints = 0;
  let added = 0;
  for (const [name, channel] of after) {
    const known = before.get(name);
    if (known === channel) continue;
    if (known === undefined) added += 1;
    changes.push({ before: known, after: channel });
    endpoints += channel.endpoints.length;
  }
  if (before.size + added === after.size) return endpoints;
  for (const [name, channel] of before) {
    if (after.has(name)) continue;
    changes.push({ before: channel, after: undefined });
    endpoints += channel.endpoints.length;
  }
  return endpoints;
}
