// Collecting garbage on demand: what memory is still referred to can be told only after it.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** A full collection. Buffers are freed by a thread beside it, which the next collection waits for. */
export function collectGarbage(): void {
  collect();
  collect();
}

/** Bytes that are still referred to: objects, and their buffers. */
export function heldBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** True when nothing but the reference keeps it. */
export async function isGone(reference: WeakRef<object>): Promise<boolean> {
  // What a turn of the event loop has seen stays until it ends.
  await nextTurn();
  collectGarbage();
  return reference.deref() === undefined;
}
