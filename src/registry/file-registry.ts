// The registry without a server: endpoints of a file, which is followed, and of the settings.
//
// The file is checked by its path a few times a second. So it may be replaced by a rename, a link may point to another file
// (as Kubernetes does with config maps), and it may be on a network. A file that is written in place is read when it did not
// change between two checks. A faulty or missing file takes no endpoint away.

import { type BigIntStats, promises as files } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelName, Endpoint, EndpointId, ServiceAddress } from '../model.js';
import {
  type EndpointsFileLimits,
  parseEndpointsFile,
  type WrittenEndpoint,
  writtenEndpoint,
} from './endpoints-file.js';
import type { RegistryLogger } from './logger.js';
import type { Registry, RegistrySink } from './registry.js';
import { sameValues } from './reported-values.js';

/** Between two checks of the file. */
const lookIntervalMs = 250;
/** Some ten thousand endpoints. */
export const maxFileBytes = 4 * 1024 * 1024;

export interface FileRegistryOptions {
  readonly path: string | undefined;
  /** `CHANNEL=ADDRESS`, as they were checked by the settings. */
  readonly origins: readonly string[];
  readonly limits: EndpointsFileLimits;
}

/** Identifies one state of a file. */
type Mark = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs'>;

const isSameFile = (a: Mark | undefined, b: Mark | undefined) => a?.ino === b?.ino && a?.dev === b?.dev;
const isSame = (a: Mark | undefined, b: Mark | undefined) =>
  isSameFile(a, b) && a?.size === b?.size && a?.mtimeNs === b?.mtimeNs;

/** A registry that follows one file, and the endpoints of the settings. It looks at the file only while it is run. */
export class FileRegistry implements Registry {
  readonly #path: string | undefined;
  readonly #limits: EndpointsFileLimits;
  readonly #given: readonly WrittenEndpoint[];
  readonly #logger: RegistryLogger;
  readonly #pause: (signal: AbortSignal) => Promise<void>;
  #known = new Map<EndpointId, Endpoint>();
  #state: 'live' | 'stale' | undefined;
  /** The state of the file that was read last, valid or not. */
  #read: Mark | undefined;
  /** The state at the last check. */
  #seen: Mark | undefined;
  #version = 0;

  /** @param pause waits until the next check */
  constructor(
    { path, origins, limits }: FileRegistryOptions,
    logger: RegistryLogger,
    pause: (signal: AbortSignal) => Promise<void> = (signal) => sleep(lookIntervalMs, undefined, { signal }),
  ) {
    this.#path = path;
    this.#limits = limits;
    this.#given = origins.map(givenOrigin);
    this.#logger = logger;
    this.#pause = pause;
  }

  async run(sink: RegistrySink, signal: AbortSignal): Promise<void> {
    if (this.#path === undefined) this.#take(sink, []);
    while (!signal.aborted) {
      if (this.#path !== undefined) await this.#look(this.#path, sink);
      await this.#pause(signal).catch(() => undefined);
    }
  }

  async #look(path: string, sink: RegistrySink): Promise<void> {
    let mark: BigIntStats;
    try {
      mark = await files.stat(path, { bigint: true });
    } catch (error) {
      this.#lose(sink, error);
      return;
    }
    const before = this.#seen;
    this.#seen = mark;
    if (isSame(mark, this.#read)) return;
    // Somebody may be writing it: the content may be incomplete.
    if (isSameFile(mark, this.#read) && !isSame(mark, before)) return;
    let text: string;
    try {
      if (!mark.isFile()) throw new Error('it is no file');
      if (mark.size > maxFileBytes) throw new Error(`it has more than ${maxFileBytes / 1024 / 1024} MiB`);
      text = await files.readFile(path, 'utf8');
      if (!isSame(mark, await files.stat(path, { bigint: true }))) return;
    } catch (error) {
      if (isSystemError(error)) this.#lose(sink, error);
      else this.#refuse(sink, mark, error);
      return;
    }
    this.#parse(sink, mark, text);
  }

  #parse(sink: RegistrySink, mark: Mark, text: string): void {
    let written: WrittenEndpoint[];
    try {
      written = parseEndpointsFile(text, this.#limits);
    } catch (error) {
      this.#refuse(sink, mark, error);
      return;
    }
    this.#read = mark;
    sink.note({ kind: 'event', event: 'file_read' });
    this.#take(sink, written);
  }

  /** Replaces all known endpoints. */
  #take(sink: RegistrySink, written: readonly WrittenEndpoint[]): void {
    const seenAt = performance.timeOrigin + performance.now();
    this.#version = Math.max(this.#version + 1, Math.floor(seenAt));
    const next = new Map<EndpointId, Endpoint>();
    for (const endpoint of [...this.#given, ...written]) {
      const now = { ...endpoint, version: this.#version };
      const before = this.#known.get(now.id);
      next.set(now.id, before !== undefined && sameValues(before, now) ? before : now);
    }
    const before = this.#known;
    this.#known = next;
    if (this.#state !== 'live') {
      sink.replace(next.values());
      this.#say(sink, 'live');
      return;
    }
    for (const endpoint of next.values()) if (before.get(endpoint.id) !== endpoint) sink.put(endpoint, seenAt);
    for (const id of before.keys()) if (!next.has(id)) sink.drop(id, seenAt);
  }

  /** The file cannot be read: known endpoints stay, as stale. Logged once. */
  #lose(sink: RegistrySink, error: unknown): void {
    const isNews = this.#state !== 'stale';
    this.#read = undefined;
    this.#seen = undefined;
    this.#say(sink, 'stale');
    if (isNews) this.#warn(error, 'the file of endpoints cannot be read: what it last said stands');
  }

  /** The file is not valid: all stays as it is until it is written again. Logged once. */
  #refuse(sink: RegistrySink, mark: Mark, error: unknown): void {
    this.#read = mark;
    sink.note({ kind: 'event', event: 'file_refused' });
    this.#warn(error, 'the file of endpoints is not used: what it last said stands until it is mended');
  }

  #warn(error: unknown, message: string): void {
    this.#logger.error({ path: this.#path, reason: (error as Error).message }, message);
  }

  #say(sink: RegistrySink, state: 'live' | 'stale'): void {
    if (this.#state === state) return;
    this.#state = state;
    sink.status(state);
  }
}

function isSystemError(error: unknown): boolean {
  return typeof (error as NodeJS.ErrnoException).code === 'string';
}

/** `news=http://10.0.0.1:8080` */
function givenOrigin(text: string): WrittenEndpoint {
  const at = text.indexOf('=');
  return writtenEndpoint(text.slice(0, at) as ChannelName, text.slice(at + 1) as ServiceAddress);
}
