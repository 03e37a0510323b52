// Pushes a document of the fleet's configuration: checked, compared with what is there, rolled out, and written as it was read.

import type { CentreDocument } from '../../config/centre.js';
import { OperatorError } from '../../errors.js';
import { acquireLock, type Lock } from '../lock.js';
import type { FleetSession } from '../session.js';
import { edgesOf, type RegisteredEdge } from './edges-of.js';
import { type Author, LayerConflict, type LayerState, readLayer, writeLayer } from './layer-store.js';
import { layerPath, layersOf, lockPath, type Target } from './layers.js';
import { rollOut } from './roll-out.js';

export interface Push {
  readonly session: FleetSession;
  readonly root: string;
  readonly target: Target;
  readonly body: string;
  readonly heading: Author;
  /** The version that the document was made from; undefined: the present one. */
  readonly expected: number | undefined;
  /** Throws where the documents, the weakest first, cannot be used. */
  readonly check: (documents: readonly CentreDocument[]) => void;
  /** Called before anything is written. @returns whether to go on */
  readonly compared: (before: LayerState) => boolean;
  /** All edges at once, without a candidate. */
  readonly now: boolean;
  readonly deadlineMs: number;
  readonly after: (ms: number, run: () => void) => () => void;
  /** Aborts when it is to end at once. */
  readonly signal: AbortSignal;
  readonly told: (edge: RegisteredEdge, isCanary: boolean) => void;
}

/**
 * @returns the new version; undefined: nothing was to be written
 * @throws LayerConflict where it is not the expected version; ConfigError of `check`; OperatorError of the roll-out
 */
export async function push(options: Push): Promise<number | undefined> {
  if (options.now) return await pushUnder(undefined, options);
  const { session, root, heading, deadlineMs, signal: asked } = options;
  const signal = AbortSignal.any([asked, AbortSignal.timeout(deadlineMs)]);
  const lock = await acquireLock({ session, folder: lockPath(root), data: heading.by, signal }).catch(
    (error: unknown) => {
      if (!signal.aborted || asked.aborted) throw error;
      throw new OperatorError(`another roll-out is under way, and was not over in ${deadlineMs / 1000} s`);
    },
  );
  try {
    return await pushUnder(lock, options);
  } finally {
    await lock.release();
  }
}

/** @param lock undefined: all edges at once */
async function pushUnder(lock: Lock | undefined, options: Push): Promise<number | undefined> {
  const { session, root, target, body, heading, expected, check, compared, told } = options;
  const layer = layerPath(root, target);
  const before = await readLayer(session, layer);
  if (expected !== undefined && (before.document === undefined || before.version !== expected)) {
    throw new LayerConflict(`version ${expected}`, before);
  }
  check(await documentsBelow(session, root, target, { name: layer, text: body }));
  if (!compared(before)) return undefined;
  const commit = () => writeLayer(session, before, heading, body);
  const edges = lock === undefined ? [] : await edgesOf(session, root, target);
  if (lock === undefined || edges.length === 0) return await commit();
  const { deadlineMs, after, signal } = options;
  const place = layersOf(root, target).length - 1;
  return await rollOut({ session, root, layer, place, body, edges, deadlineMs, after, lock, signal, told }, commit);
}

/** The document, and those of weaker layers below it. */
async function documentsBelow(session: FleetSession, root: string, target: Target, own: CentreDocument) {
  const weaker = layersOf(root, target).slice(0, -1);
  const states = await Promise.all(weaker.map((layer) => readLayer(session, layer)));
  const below = states.flatMap(({ layer, document }) =>
    document === undefined ? [] : [{ name: layer, text: document.body }],
  );
  return [...below, own];
}
