// Rolls a new document out: as a candidate to one edge after another, each of which has to say that it runs with it, and then for
// good. At the first that cannot, the candidate is taken back, and the edges that tried it go back to what was.

import { OperatorError } from '../../errors.js';
import type { Lock } from '../lock.js';
import { FleetError, type FleetSession } from '../session.js';
import { type Candidate, encodeCandidate, maxNamed } from './candidate.js';
import { digest } from './document.js';
import { type RegisteredEdge, recordOf } from './edges-of.js';
import { candidatePath } from './layers.js';
import { wavesOf } from './waves.js';

export interface RollOut {
  readonly session: FleetSession;
  readonly root: string;
  /** The node whose document changes, and which layer of an edge it is: 0 for all, 1 of a site, 2 of an edge. */
  readonly layer: string;
  readonly place: number;
  readonly body: string;
  /** In the order in which they get it. */
  readonly edges: readonly RegisteredEdge[];
  /** An edge has to say within so many ms what came of it. */
  readonly deadlineMs: number;
  /** Calls once after so many ms. @returns ends it */
  readonly after: (ms: number, run: () => void) => () => void;
  /** That nobody else rolls out meanwhile. */
  readonly lock: Pick<Lock, 'isHeld'>;
  /** Aborts when it is to end at once. */
  readonly signal: AbortSignal;
  /** An edge runs with it. */
  readonly told: (edge: RegisteredEdge, isCanary: boolean) => void;
}

/**
 * Resolves with what `commit` gives, which makes the candidate everybody's.
 *
 * @throws OperatorError that names the edge which cannot run with it, or says nothing; the candidate is gone then
 */
export async function rollOut<T>(options: RollOut, commit: () => Promise<T>): Promise<T> {
  const { session, root, layer, body, edges, lock, told } = options;
  const path = candidatePath(root);
  const tried: string[] = [];
  let version: number | undefined;
  try {
    for (const [at, wave] of wavesOf(edges).entries()) {
      mustHold(lock);
      tried.push(...wave.map(({ site, name }) => `${site}/${name}`));
      const candidate: Candidate = { layer, body, edges: tried.length > maxNamed ? 'all' : tried };
      version = await put(session, path, encodeCandidate(candidate), version);
      await untilAllRun(options, wave, (edge) => told(edge, at === 0));
    }
    mustHold(lock);
    return await commit();
  } finally {
    // With the lock the session is lost, and the node goes by itself; another one may be there by now.
    if (version !== undefined && lock.isHeld()) await session.remove(path).catch(() => undefined);
  }
}

/** The first that cannot run with it ends the wait for the others. */
async function untilAllRun(options: RollOut, wave: readonly RegisteredEdge[], runs: (edge: RegisteredEdge) => void) {
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  try {
    await Promise.all(wave.map((edge) => untilItRuns({ ...options, signal }, edge).then(() => runs(edge))));
  } finally {
    over.abort();
  }
}

function mustHold(lock: Pick<Lock, 'isHeld'>): void {
  if (!lock.isHeld()) throw new OperatorError('the lock of the roll-out was lost; the edges go back to what was');
}

async function put(session: FleetSession, path: string, data: string, version: number | undefined): Promise<number> {
  if (version !== undefined) return await session.set(path, data, version);
  // Only who holds the lock makes one: another is of no roll-out.
  await session.remove(path);
  await session.create(path, data, 'ephemeral');
  return 0;
}

/** What an edge says of the document. */
type Answer = 'runs' | 'waits' | { readonly failed: string };

/** What an edge's report says of a document in the layer of this place. */
export function answerOf(
  report: { readonly revision: string; readonly error?: string | undefined } | undefined,
  place: number,
  body: string,
): Answer {
  if (report === undefined) return 'waits';
  const wanted = digest(body);
  // A refusal begins with the revision that was refused.
  const [refused = '', ...why] = (report.error ?? '').split(': ');
  if (refused.split('/')[place] === wanted) return { failed: why.join(': ') };
  return report.revision.split('/')[place] === wanted ? 'runs' : 'waits';
}

function untilItRuns(
  { session, place, body, deadlineMs, after, signal }: RollOut,
  edge: RegisteredEdge,
): Promise<void> {
  const name = `${edge.site}/${edge.name}`;
  return new Promise<void>((resolve, reject) => {
    let end = () => {};
    const done = (error?: Error) => {
      stopWaiting();
      signal.removeEventListener('abort', interrupted);
      end();
      if (error === undefined) resolve();
      else reject(error);
    };
    const stop = (why: string) => done(new OperatorError(`${name} ${why}; it was taken back, and nothing was written`));
    const stopWaiting = after(deadlineMs, () => stop(`did not say in ${deadlineMs / 1000} s that it runs with it`));
    const interrupted = () => done(new OperatorError('interrupted; it was taken back, and nothing was written'));
    signal.addEventListener('abort', interrupted);
    if (signal.aborted) return interrupted();
    const look = async () => {
      const record = await recordOf(session, edge);
      if (record === undefined) return stop('went away while it tried this');
      const answer = answerOf(record.config, place, body);
      if (answer === 'runs') done();
      else if (answer !== 'waits') stop(`cannot run with this: ${answer.failed}`);
    };
    end = session.watch(edge.path, 'data', () => {
      look().catch((error: unknown) => {
        // While the connection is away the deadline runs; the watch calls again.
        if (!(error instanceof FleetError) || error.kind !== 'lost') done(error as Error);
      });
    });
  });
}
