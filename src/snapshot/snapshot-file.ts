// The last snapshot on disk, so that an edge started while the registry is down serves what it last knew.

import { open, readFile, rename, rm } from 'node:fs/promises';
import { z } from 'zod';
import type { ChannelName, Endpoint, EndpointId } from '../model.js';
import { parseServiceAddress } from '../net-address.js';

/** At most one write in this time, in ms. */
const writeInterval = 1_000;
const formatVersion = 1;

const optionalNumber = z.number().nonnegative().optional();
const fileSchema = z.object({
  version: z.literal(formatVersion),
  endpoints: z.array(
    z.object({
      id: z.string().min(1),
      channel: z.string().min(1),
      address: z.string(),
      load: optionalNumber,
      bitrate: optionalNumber,
      packetLoss: optionalNumber,
      version: z.int(),
    }),
  ),
});

/**
 * The endpoints in the file; an empty list when there is none. Throws with a reason for a file that cannot be read or
 * is not one of ours. What stands in it is checked like what comes from the registry.
 */
export async function readSnapshotFile(path: string): Promise<Endpoint[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const parsed = fileSchema.parse(JSON.parse(text));
  const endpoints: Endpoint[] = [];
  for (const one of parsed.endpoints) {
    const address = parseServiceAddress(one.address);
    if (address === undefined) continue;
    endpoints.push({
      id: one.id as EndpointId,
      channel: one.channel as ChannelName,
      address,
      load: one.load,
      bitrate: one.bitrate,
      packetLoss: one.packetLoss,
      version: one.version,
    });
  }
  return endpoints;
}

/** Writes the newest endpoints at most once a second; each write replaces the file whole (temporary file, fsync, rename). */
export class SnapshotFile {
  readonly #path: string;
  readonly #endpoints: () => Iterable<Endpoint>;
  readonly #failed: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** @param endpoints called at the time of a write; @param failed told of each write that failed */
  constructor(path: string, endpoints: () => Iterable<Endpoint>, failed: (error: unknown) => void) {
    this.#path = path;
    this.#endpoints = endpoints;
    this.#failed = failed;
  }

  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#writing.then(() => this.#write());
    }, writeInterval);
  }

  /** Writes what is still pending. */
  async close(): Promise<void> {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#writing = this.#writing.then(() => this.#write());
    }
    await this.#writing;
  }

  async #write(): Promise<void> {
    const temporary = `${this.#path}.${process.pid}.tmp`;
    try {
      const endpoints = [...this.#endpoints()].filter((endpoint) => endpoint.lastResort !== true);
      const file = await open(temporary, 'w', 0o600);
      try {
        await file.writeFile(JSON.stringify({ version: formatVersion, endpoints }));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.#path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      this.#failed(error);
    }
  }
}
