// An answer that several servers give alike: when one of them dies on the way, what was received stays, and the next one's
// answer is read from there on.

import type { IncomingHttpHeaders } from 'node:http';

export class Continuation {
  #head: { readonly status: number; readonly length: string | undefined } | undefined;
  #received = 0;
  /** Bytes to come that are here already. */
  #skip = 0;

  /** Another server is asked, which begins at the first byte. */
  restart(): void {
    this.#skip = this.#received;
  }

  /** Whether this header begins the same answer. One without a length could be any. */
  fits(status: number, headers: IncomingHttpHeaders): boolean {
    const length = headers['content-length'];
    if (this.#received === 0) {
      this.#head = { status, length };
      return true;
    }
    return length !== undefined && this.#head?.status === status && this.#head.length === length;
  }

  /** What of a chunk is new; undefined: nothing. */
  take(chunk: Buffer): Buffer | undefined {
    const known = Math.min(this.#skip, chunk.length);
    this.#skip -= known;
    if (known === chunk.length) return undefined;
    this.#received += chunk.length - known;
    return known === 0 ? chunk : chunk.subarray(known);
  }
}
