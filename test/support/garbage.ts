// Collecting garbage on demand: what memory is still referred to can be told only after it.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** A full collection. Buffers are freed by a thread beside it, which the next collection waits for. */
export function collectGarbage(): void {
  collect();
  collect();
}
