// Turns the notes of a registry into log lines and metrics. However many registrations are faulty, the log gets only a few
// lines at a time.

import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import type { RegistryNote } from './registry.js';

/** Of one kind in one window; a line at its end has the number of the others. */
const maxLines = 20;
const windowMs = 10_000;

type Fault = Extract<RegistryNote, { kind: 'skipped' | 'unknown_value' }>;

const faults: Record<Fault['kind'], string> = {
  skipped: 'registration skipped',
  unknown_value: 'reported value counts as unknown',
};

/** A sentence for operators about a missing root. */
export function missingWords({
  node,
  path,
}: Pick<Extract<RegistryNote, { kind: 'missing' }>, 'node' | 'path'>): string {
  if (node === 'chroot') {
    return 'the path behind the servers of ZooKeeper (the chroot) does not exist there: is it mistyped in registry.zookeeper.servers?';
  }
  return `no node ${path} in ZooKeeper: nothing was registered yet, or registry.zookeeper.root (or trees) names another`;
}

/** The sessions with a registry. */
export interface RegistrySessions {
  /** With a connection now. */
  readonly open: number;
  /** The registry is followed once so many are open. */
  readonly wanted: number;
  /** Why some are missing, as far as it is known; in words, with the addresses of servers. */
  readonly why: string | undefined;
}

/** The notes of one registry. Bounded: 20 lines of a kind in 10 s, the rest as a number. */
export class RegistryNotes {
  readonly #lines: Record<Fault['kind'], number> = { skipped: 0, unknown_value: 0 };
  #timer: NodeJS.Timeout | undefined;
  #sessions: { readonly open: number; readonly wanted: number } | undefined;
  #why: string | undefined;
  readonly #logger: Logger;
  readonly #metrics: Metrics;

  constructor(logger: Logger, metrics: Metrics) {
    this.#logger = logger;
    this.#metrics = metrics;
  }

  take(note: RegistryNote): void {
    const metrics = this.#metrics;
    const logger = this.#logger;
    switch (note.kind) {
      case 'event':
        metrics.registryEvents.inc({ event: note.event });
        break;
      case 'skipped':
        metrics.registrySkipped.inc({ reason: note.reason });
        this.#fault(note);
        break;
      case 'unknown_value':
        metrics.registryUnknownValues.inc({ field: note.field, reason: note.reason });
        this.#fault(note);
        break;
      case 'session':
        metrics.registrySessions.inc({ state: note.state });
        break;
      case 'sessions':
        this.#sessions = note;
        metrics.registryOpenSessions.set({ state: 'open' }, note.open);
        metrics.registryOpenSessions.set({ state: 'wanted' }, note.wanted);
        if (note.open >= note.wanted) this.#why = undefined;
        break;
      case 'unreached':
        this.#why = note.why;
        break;
      case 'watched':
        metrics.watchedBytes.set(note.bytes);
        if (note.alarm)
          logger.error({ bytes: note.bytes }, 'too many watched paths: ZooKeeper may refuse to re-arm them');
        break;
      case 'census':
        this.#census(note);
        break;
      case 'missing':
        logger.warn({ path: note.path }, missingWords(note));
        break;
    }
  }

  /** The sessions with the registry, and why some of them are missing; undefined: this registry has none. */
  get sessions(): RegistrySessions | undefined {
    const { open, wanted } = this.#sessions ?? {};
    if (open === undefined || wanted === undefined) return undefined;
    return { open, wanted, why: this.#why };
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#summarize();
  }

  #fault({ kind, ...fields }: Fault): void {
    this.#lines[kind] += 1;
    this.#timer ??= setTimeout(() => this.#summarize(), windowMs);
    if (this.#lines[kind] <= maxLines) this.#logger.warn(fields, faults[kind]);
  }

  #summarize(): void {
    this.#timer = undefined;
    for (const kind of ['skipped', 'unknown_value'] as const) {
      const further = this.#lines[kind] - maxLines;
      this.#lines[kind] = 0;
      if (further > 0) this.#logger.warn({ further }, `${faults[kind]}, and so were more`);
    }
  }

  #census({ skipped, unknown }: Extract<RegistryNote, { kind: 'census' }>): void {
    const { registryUnreadable, registryUnknown } = this.#metrics;
    registryUnreadable.reset();
    for (const [reason, count] of Object.entries(skipped)) registryUnreadable.set({ reason }, count);
    registryUnknown.reset();
    for (const [what, count] of Object.entries(unknown)) {
      const [field = '', reason = ''] = what.split(' ');
      registryUnknown.set({ field, reason }, count);
    }
  }
}
