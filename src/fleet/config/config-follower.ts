// Follows the documents of the fleet's configuration that hold for this edge, has each change tried, and says what came of it.

import type { CentreDocument } from '../../config/centre.js';
import type { FleetSession } from '../session.js';
import { type Candidate, decodeCandidate, withCandidate } from './candidate.js';
import { readDocument, refusal, revisionOf } from './document.js';
import { candidatePath, layersOf } from './layers.js';

/** Until another read after one that failed while connected, in ms. */
const retryMs = 5_000;

/** What the edge runs with, and why not with what it should. */
export interface ConfigReport {
  readonly revision: string;
  readonly error?: string | undefined;
}

export interface ConfigFollowerTools {
  readonly session: FleetSession;
  readonly root: string;
  readonly site: string;
  readonly edge: string;
  /** What is in effect at the beginning, by layer, as it was kept. */
  readonly kept: ReadonlyMap<string, string>;
  /** Puts documents into effect; rejects, with everything as it was, when that cannot be. */
  readonly apply: (documents: readonly CentreDocument[]) => Promise<void>;
  /** Keeps what is in effect for the next start. */
  readonly keep: (bodies: ReadonlyMap<string, string>) => Promise<void>;
  readonly report: (report: ConfigReport) => void;
  /** Could not be put into effect, read, or kept: words for the log. */
  readonly failed: (what: 'apply' | 'read' | 'keep', error: Error) => void;
  /** Calls once after so many ms. @returns ends it */
  readonly after: (ms: number, run: () => void) => () => void;
}

type Bodies = ReadonlyMap<string, string | undefined>;

/**
 * The fleet's settings of one edge, from the first read on until `close`. A document that is gone changes nothing, an empty one
 * does: a ZooKeeper that lost its data must not undo what was set.
 */
export class ConfigFollower {
  readonly #tools: ConfigFollowerTools;
  readonly #ends: (() => void)[];
  #bodies: Bodies;
  #candidate: Candidate | undefined;
  #inEffect: string;
  #kept: string;
  /** The revision that could not be put into effect. */
  #refused: string | undefined;
  #isDirty = false;
  #isBusy = false;
  #isClosed = false;
  #stopWaiting = () => {};
  #sayRead: () => void = () => {};
  /** Resolves when what ZooKeeper says was tried for the first time. */
  readonly read = new Promise<void>((resolve) => {
    this.#sayRead = resolve;
  });

  constructor(tools: ConfigFollowerTools) {
    this.#tools = tools;
    const { session, root, site, edge, kept } = tools;
    const layers = layersOf(root, { kind: 'edge', site, edge });
    this.#bodies = new Map(layers.map((layer) => [layer, kept.get(layer)]));
    this.#inEffect = revisionOf([...this.#bodies.values()]);
    this.#kept = this.#inEffect;
    tools.report({ revision: this.#inEffect });
    this.#ends = [...layers, candidatePath(root)].map((path) => session.watch(path, 'data', () => this.#changed()));
  }

  /** What was refused is tried again: other settings of the edge may be different now. */
  retry(): void {
    if (this.#refused === undefined) return;
    this.#refused = undefined;
    this.#changed();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopWaiting();
    for (const end of this.#ends) end();
  }

  #changed(): void {
    this.#isDirty = true;
    if (!this.#isBusy) void this.#work();
  }

  /** Never rejects. What changes meanwhile is looked at afterwards. */
  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.#isDirty && !this.#isClosed) {
      this.#isDirty = false;
      this.#stopWaiting();
      if (!(await this.#readAll())) break;
      await this.#settle();
      this.#sayRead();
    }
    this.#isBusy = false;
  }

  async #readAll(): Promise<boolean> {
    const { session, root, failed, after } = this.#tools;
    try {
      const layers = [...this.#bodies.keys()];
      const nodes = await Promise.all([...layers, candidatePath(root)].map((path) => session.get(path)));
      const candidate = nodes.pop();
      this.#candidate = candidate && decodeCandidate(candidate.data);
      this.#bodies = new Map(
        layers.map((layer, at) => {
          const data = nodes[at]?.data;
          // Folders are made empty with the first node below them: that is no document.
          const isThere = data !== undefined && data !== '';
          return [layer, isThere ? readDocument(data).body : this.#bodies.get(layer)];
        }),
      );
      return true;
    } catch (error) {
      // Without a connection the watches call again when it is back.
      if (!this.#isClosed && session.isAlive()) {
        failed('read', error as Error);
        this.#stopWaiting = after(retryMs, () => this.#changed());
      }
      return false;
    }
  }

  async #settle(): Promise<void> {
    const { site, edge, apply, report, failed } = this.#tools;
    const wanted = withCandidate(this.#bodies, this.#candidate, `${site}/${edge}`);
    const revision = revisionOf([...wanted.values()]);
    if (revision === this.#refused) return;
    // After a refusal what is in effect is put into effect again: that clears what the refusal left in metrics.
    if (revision !== this.#inEffect || this.#refused !== undefined) {
      try {
        await apply(documentsOf(wanted));
        this.#inEffect = revision;
        this.#refused = undefined;
        report({ revision });
      } catch (error) {
        this.#refused = revision;
        report({ revision: this.#inEffect, error: refusal(revision, (error as Error).message) });
        failed('apply', error as Error);
      }
    }
    await this.#keep();
  }

  async #keep(): Promise<void> {
    const { keep, failed } = this.#tools;
    const committed = revisionOf([...this.#bodies.values()]);
    if (this.#inEffect !== committed || this.#kept === committed) return;
    const bodies = new Map([...this.#bodies].flatMap(([layer, body]) => (body === undefined ? [] : [[layer, body]])));
    try {
      await keep(bodies);
      this.#kept = committed;
    } catch (error) {
      failed('keep', error as Error);
    }
  }
}

/** As settings are read: in the order of the layers, without those that are not there. */
function documentsOf(bodies: Bodies): CentreDocument[] {
  return [...bodies].flatMap(([name, text]) => (text === undefined ? [] : [{ name, text }]));
}
