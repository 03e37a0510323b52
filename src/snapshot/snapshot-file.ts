// The last snapshot on disk, so that an edge that starts while the registry is down can serve it.

import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Endpoint, EndpointId } from '../model.js';
import { parseConnectString, parseServiceAddress } from '../net-address.js';
import { checkedTraits } from '../registry/formats/traits.js';
import { readValues } from '../registry/formats/values.js';
import { parseChannelName } from '../registry/names.js';
import { replaceFile } from '../registry/replace-file.js';

/** From a change of the registered endpoints to the write. */
const memberDelayMs = 1_000;
/** Between two writes of nothing but new reports and the time. */
const reportIntervalMs = 30_000;
const formatVersion = 2;
/** Endpoints that are serialised in one turn of the event loop. */
const pieceSize = 500;

/** The registry that the endpoints come from. A file of another registry is not used. */
export type Source =
  | { readonly kind: 'embedded' | 'file' }
  | { readonly kind: 'zookeeper'; readonly servers: string; readonly trees: readonly string[] };

export interface SavedSnapshot {
  readonly endpoints: readonly Endpoint[];
  /** When it was last known to be true, in epoch ms. */
  readonly savedAt: number;
}

const fileSchema = z.object({
  version: z.literal(formatVersion),
  savedAt: z.iso.datetime().transform((text) => Date.parse(text)),
  registry: z.discriminatedUnion('kind', [
    z.object({ kind: z.enum(['embedded', 'file']) }),
    z.object({ kind: z.literal('zookeeper'), servers: z.string(), trees: z.array(z.string()) }),
  ]),
  endpoints: z.array(
    z.looseObject({
      id: z.string().min(1),
      channel: z.string(),
      address: z.string(),
      version: z.int(),
      lastResort: z.boolean().optional(),
    }),
  ),
});

/** An ensemble may grow and shrink; it is the same while one server stays. */
function isSame(a: Source, b: Source): boolean {
  if (a.kind !== 'zookeeper' || b.kind !== 'zookeeper') return a.kind === b.kind;
  const [one, other] = [parseConnectString(a.servers), parseConnectString(b.servers)];
  if (one === undefined || other === undefined || one.chroot !== other.chroot) return false;
  if ([...a.trees].sort().join('\n') !== [...b.trees].sort().join('\n')) return false;
  return one.servers.some(({ host, port }) => other.servers.some((each) => each.host === host && each.port === port));
}

/** Checks an endpoint of the file as if it came from the registry; undefined when it is not valid. */
function endpointOf(saved: z.output<typeof fileSchema>['endpoints'][number]): Endpoint | undefined {
  const address = parseServiceAddress(saved.address);
  const channel = parseChannelName(saved.channel);
  if (address === undefined || channel === undefined) return undefined;
  const { load, bitrate, packetLoss } = readValues({ ...saved, packet_loss_rate: saved['packetLoss'] });
  const { id, version, lastResort } = saved;
  const traits = checkedTraits(saved);
  const endpoint = { ...traits, id: id as EndpointId, channel, address, load, bitrate, packetLoss, version };
  return lastResort === true ? { ...endpoint, lastResort } : endpoint;
}

/**
 * The endpoints in the file; undefined when there is no file.
 *
 * @throws Error with a reason for a file that cannot be read, is not one of ours, or is of another registry
 */
export async function readSnapshotFile(path: string, source: Source): Promise<SavedSnapshot | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { savedAt, registry, endpoints } = fileSchema.parse(JSON.parse(text));
  if (!isSame(registry, source)) throw new Error('it is of another registry');
  return { savedAt, endpoints: endpoints.flatMap((saved) => endpointOf(saved) ?? []) };
}

/** One JSON object: the header, and `endpoints` as its last field. */
function* inPieces(header: object, endpoints: Iterable<Endpoint>): Generator<string> {
  yield `${JSON.stringify(header).slice(0, -1)},"endpoints":[`;
  let piece: string[] = [];
  let separator = '';
  for (const endpoint of endpoints) {
    piece.push(JSON.stringify(endpoint));
    if (piece.length < pieceSize) continue;
    yield separator + piece.join(',');
    separator = ',';
    piece = [];
  }
  yield piece.length === 0 ? ']}' : `${separator}${piece.join(',')}]}`;
}

export interface SnapshotFileOptions {
  readonly path: string;
  readonly source: Source;
  /**
   * Called for each write, which takes many turns of the event loop: the endpoints must not change meanwhile. `knownAt` is
   * epoch ms.
   */
  readonly snapshot: () => { readonly endpoints: Iterable<Endpoint>; readonly knownAt: number; readonly live: boolean };
  /** Called for each write that failed. */
  readonly failed: (error: unknown) => void;
  /** Monotonic ms. */
  readonly now?: () => number;
}

/**
 * Writes the current endpoints: soon after the registered ones change, else every half minute as long as the snapshot is live.
 * Each write replaces the whole file (temporary file, fsync, rename).
 */
export class SnapshotFile {
  readonly #options: SnapshotFileOptions;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  /** Monotonic ms, of the timer. */
  #dueAt = Number.POSITIVE_INFINITY;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: SnapshotFileOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** @param members whether the registered endpoints changed, and not only their reports */
  changed(members: boolean): void {
    const now = this.#now();
    const dueAt = members ? now + memberDelayMs : Math.max(now + memberDelayMs, this.#writtenAt + reportIntervalMs);
    if (this.#closed || dueAt >= this.#dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => this.#writeSoon(), dueAt - now);
  }

  /** Writes pending changes. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== undefined) this.#writeSoon();
    await this.#writing;
  }

  #writeSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#writtenAt = this.#now();
    this.#writing = this.#writing.then(() => this.#write());
    // The time in the file says when it was last known to be true; it is renewed even when nothing changes.
    if (this.#options.snapshot().live) this.changed(false);
  }

  async #write(): Promise<void> {
    const { path, source, snapshot, failed } = this.#options;
    try {
      const { endpoints, knownAt } = snapshot();
      const savedAt = new Date(knownAt).toISOString();
      const header = { version: formatVersion, savedAt, registry: source };
      await replaceFile(path, inPieces(header, endpoints));
    } catch (error) {
      failed(error);
    }
  }
}
