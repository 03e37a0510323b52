// The folder of the Unix sockets that workers reach each other by.

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Bytes of the path of a Unix socket at most; Linux allows 107. Node cuts a longer one off without a word. */
const maxPathBytes = 103;
const longestSocketName = '9999999.sock';

const remedy =
  'set TMPDIR to a folder that weir may write to, mount a tmpfs on /tmp, or set workers: 0 for a single process';

/** Makes it, for this user only; rejects with what to do when that cannot be. */
export async function makeSocketFolder(parent = tmpdir()): Promise<string> {
  const needed = Buffer.byteLength(join(parent, 'weir-XXXXXX', longestSocketName));
  if (needed > maxPathBytes) {
    throw new Error(`${parent} is too long a path for the workers' sockets; ${remedy}`);
  }
  try {
    return await mkdtemp(join(parent, 'weir-'));
  } catch (error) {
    throw new Error(`no folder for the workers' sockets in ${parent}: ${(error as Error).message}; ${remedy}`);
  }
}
