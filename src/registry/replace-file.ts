// Replaces a whole file: readers see the old one or the new one, even after a crash.

import { open, rename, rm } from 'node:fs/promises';

/**
 * Writes the pieces one after the other: temporary file beside it, fsync, rename. Only its owner may read it.
 *
 * @throws Error of the system; the file is as it was then
 */
export async function replaceFile(path: string, pieces: Iterable<string>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      // Each piece continues after the previous one.
      for (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}
