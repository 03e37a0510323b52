// Pure: the channels of a snapshot as an immutable map in buckets. A change copies the buckets that it touches and shares all
// others with the previous map. So a report costs the same with ten channels and with a hundred thousand, and two maps are
// compared without a look at what they share.

import { mix32 } from '../mix.js';
import type { Channel, ChannelMap, ChannelName } from '../model.js';

type Bucket = ReadonlyMap<ChannelName, Channel>;

/**
 * An update copies this many references and each bucket that it touches. With a hundred thousand channels both take some
 * microseconds.
 */
const bucketCount = 2_048;
const emptyBucket: Bucket = new Map();

/** FNV-1a over UTF-16 units, mixed. */
function bucketOf(name: ChannelName): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return mix32(hash) % bucketCount;
}

/** The immutable map. Each change makes a new one. */
export class Channels implements ChannelMap {
  static readonly empty = new Channels(
    Array.from({ length: bucketCount }, () => emptyBucket),
    0,
  );
  readonly size: number;
  readonly #buckets: readonly Bucket[];

  private constructor(buckets: readonly Bucket[], size: number) {
    this.#buckets = buckets;
    this.size = size;
  }

  get(name: ChannelName): Channel | undefined {
    return this.#buckets[bucketOf(name)]?.get(name);
  }

  has(name: ChannelName): boolean {
    return this.get(name) !== undefined;
  }

  *keys(): Generator<ChannelName> {
    for (const bucket of this.#buckets) yield* bucket.keys();
  }

  *values(): Generator<Channel> {
    for (const bucket of this.#buckets) yield* bucket.values();
  }

  /** A new map with what `change` does to the draft; this map stays as it is. */
  edit(change: (draft: Draft) => void): Channels {
    const buckets = this.#buckets.slice();
    const copied = new Map<number, Map<ChannelName, Channel>>();
    let { size } = this;
    const bucketFor = (name: ChannelName): Map<ChannelName, Channel> => {
      const at = bucketOf(name);
      let bucket = copied.get(at);
      if (bucket === undefined) {
        bucket = new Map(buckets[at]);
        copied.set(at, bucket);
        buckets[at] = bucket;
      }
      return bucket;
    };
    change({
      get: (name) => buckets[bucketOf(name)]?.get(name),
      set: (channel) => {
        const bucket = bucketFor(channel.name);
        if (!bucket.has(channel.name)) size += 1;
        bucket.set(channel.name, channel);
      },
      delete: (name) => {
        if (bucketFor(name).delete(name)) size -= 1;
      },
    });
    return new Channels(buckets, size);
  }

  /**
   * The next step from this map towards another one, in whole buckets. A step ends after the bucket with which the changed
   * channels have `pieceSize` endpoints. `isLast`: the step leads to `target`.
   */
  stepTo(target: Channels, pieceSize: number): ChannelsStep {
    const changes: ChannelChange[] = [];
    let { size } = this;
    let weight = 0;
    for (let i = 0; i < bucketCount; i += 1) {
      const before = this.#buckets[i] ?? emptyBucket;
      const after = target.#buckets[i] ?? emptyBucket;
      if (before === after) continue;
      if (weight >= pieceSize) {
        const buckets = [...target.#buckets.slice(0, i), ...this.#buckets.slice(i)];
        return { changes, reached: new Channels(buckets, size), isLast: false };
      }
      weight += compareBuckets(before, after, changes);
      size += after.size - before.size;
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
