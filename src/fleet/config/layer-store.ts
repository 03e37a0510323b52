// One layer of the fleet's configuration in ZooKeeper: read, written by compare-and-set, with a bounded number of earlier versions.

import { OperatorError } from '../../errors.js';
import { FleetError, type FleetSession } from '../session.js';
import { type Document, type Heading, readDocument, writeDocument } from './document.js';
import { historyPath, versionPath } from './layers.js';

/** Versions of a layer that are kept beside the present one. */
export const maxHistory = 20;

/** A layer as it was read. */
export interface LayerState {
  readonly layer: string;
  /** Of its node; undefined: there is none. */
  readonly version: number | undefined;
  /** Undefined: nothing was pushed yet. */
  readonly document: Document | undefined;
}

/** An earlier or the present version. */
export interface LayerVersion {
  readonly version: number;
  readonly document: Document;
}

/** Who writes, when and why. */
export type Author = Pick<Heading, 'at' | 'by' | 'note'>;

/** Somebody else was there first: nothing was written. */
export class LayerConflict extends OperatorError {
  override readonly exitCode = 3;

  constructor(
    readonly expected: string,
    readonly current: LayerState,
  ) {
    const { layer, document } = current;
    const by = document?.heading === undefined ? '' : `, by ${document.heading.by} at ${document.heading.at}`;
    super(`${layer}: expected ${expected}, it has ${versionName(current)} now${by}; nothing was written`);
  }
}

/** In messages. */
export function versionName({ document, version }: Pick<LayerState, 'document' | 'version'>): string {
  return document === undefined ? 'no version' : `version ${version}`;
}

/** @throws FleetError */
export async function readLayer(session: FleetSession, layer: string): Promise<LayerState> {
  const node = await session.get(layer);
  // A folder that was made for what is below it has no data.
  const document = node === undefined || node.data === '' ? undefined : readDocument(node.data);
  return { layer, version: node?.version, document };
}

/**
 * Writes the layer if it is as it was read, and keeps what it replaces.
 *
 * @returns the new version
 * @throws LayerConflict
 */
export async function writeLayer(
  session: FleetSession,
  before: LayerState,
  heading: Author,
  body: string,
): Promise<number> {
  await keep(session, before);
  const written = await put(session, before, heading, body);
  // Now too, for somebody else may write over it by other means. What fails here is kept before the next write.
  await keep(session, await readLayer(session, before.layer)).catch(() => undefined);
  return written;
}

async function put(session: FleetSession, before: LayerState, heading: Author, body: string): Promise<number> {
  const { layer, version } = before;
  const textOf = (next: number) => writeDocument({ ...heading, layer, version: next }, body);
  try {
    if (version !== undefined) return await session.set(layer, textOf(version + 1), version);
    await session.create(layer, textOf(0), 'persistent');
    return 0;
  } catch (error) {
    if (!(error instanceof FleetError) || !['exists', 'conflict', 'missing'].includes(error.kind)) throw error;
    const found = await readLayer(session, layer);
    const isNewFolder = version === undefined && found.version !== undefined && found.document === undefined;
    if (isNewFolder) return await put(session, found, heading, body);
    throw new LayerConflict(versionName(before), found);
  }
}

/** What is kept already stays. */
async function keep(session: FleetSession, { layer, version, document }: LayerState): Promise<void> {
  if (version === undefined || document === undefined) return;
  const { heading, body } = document;
  const text = heading === undefined ? body : writeDocument(heading, body);
  const path = versionPath(layer, version);
  try {
    await session.create(path, text, 'persistent');
  } catch (error) {
    if (!(error instanceof FleetError) || error.kind !== 'exists') throw error;
    // Of a write that came to nothing, or of a layer that was removed and made anew.
    const found = await session.get(path);
    if (found !== undefined && found.data !== text) await session.set(path, text, found.version);
  }
  const names = await namesOf(session, layer);
  for (const name of names.slice(0, -maxHistory - 1)) await session.remove(`${historyPath(layer)}/${name}`);
}

async function namesOf(session: FleetSession, layer: string): Promise<string[]> {
  const names = (await session.children(historyPath(layer))) ?? [];
  return names.filter((name) => /^\d{10}$/.test(name)).sort();
}

/** The versions that are known, the newest first: the present one, then those before it. */
export async function readHistory(session: FleetSession, layer: string): Promise<LayerVersion[]> {
  const present = await readLayer(session, layer);
  const names = (await namesOf(session, layer)).slice(-maxHistory - 1);
  const nodes = await Promise.all(names.map((name) => session.get(`${historyPath(layer)}/${name}`)));
  const earlier = names.flatMap((name, at) => {
    const data = nodes[at]?.data;
    return data === undefined ? [] : [{ version: Number(name), document: readDocument(data) }];
  });
  const { version, document } = present;
  if (version === undefined || document === undefined) return earlier.reverse();
  return [{ version, document }, ...earlier.filter((each) => each.version !== version).reverse()];
}
