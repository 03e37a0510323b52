// The last settings from the fleet on disk, for a start without ZooKeeper.

import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { maxCentreBytes } from '../../config/centre.js';
import { replaceFile } from '../../registry/replace-file.js';
import { layersOf } from './layers.js';

/** Whose settings they are: those of another edge, or of another fleet, are not used. */
export interface Whose {
  readonly root: string;
  readonly site: string;
  readonly edge: string;
}

const schema = z.object({
  version: z.literal(1),
  documents: z.array(z.object({ layer: z.string(), body: z.string().max(maxCentreBytes) })).max(3),
});

/**
 * The bodies by layer; none where there is no file.
 *
 * @throws Error with a reason for a file that cannot be read or is not one of ours
 */
export async function readKept(path: string, { root, site, edge }: Whose): Promise<ReadonlyMap<string, string>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
  const layers = layersOf(root, { kind: 'edge', site, edge });
  const { documents } = schema.parse(JSON.parse(text));
  return new Map(documents.filter(({ layer }) => layers.includes(layer)).map(({ layer, body }) => [layer, body]));
}

/**
 * Replaces the file.
 *
 * @throws Error of the system; the file is as it was then
 */
export async function writeKept(path: string, bodies: ReadonlyMap<string, string>): Promise<void> {
  const documents = [...bodies].map(([layer, body]) => ({ layer, body }));
  await replaceFile(path, [`${JSON.stringify({ version: 1, documents })}\n`]);
}
