// Replaces a file whole: whoever reads it sees the old one or the new one, also after a crash.

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
      // Each goes on where the one before ended.
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
