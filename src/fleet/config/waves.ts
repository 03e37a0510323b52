// Pure: in which order edges get a new configuration. One is the canary; then come two, four and so on; with some tens that run
// well, all others at once.

import { maxNamed } from './candidate.js';

/** The edges of each step. The steps together are all of them, each once. */
export function wavesOf<T>(edges: readonly T[]): T[][] {
  const waves: T[][] = [];
  let done = 0;
  for (let size = 1; done < edges.length; size *= 2) {
    const isLast = done + size > maxNamed;
    waves.push(edges.slice(done, isLast ? undefined : done + size));
    done = isLast ? edges.length : done + size;
  }
  return waves;
}
