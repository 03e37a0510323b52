// An answer that several servers give alike. When one of them dies on the way, the bytes received stay, and the answer of the
// next one is read from there on.

import type { IncomingHttpHeaders } from 'node:http';

/** What was received of one answer, so that another server's answer continues it. */
export class Continuation {
  #head: { readonly status: number; readonly length: string | undefined } | undefined;
  #received = 0;
  /** Bytes to come that are here already. */
  #skipBytes = 0;

  /** Another server is asked, which begins at the first byte. */
  restart(): void {
    this.#skipBytes = this.#received;
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
    const known = Math.min(this.#skipBytes, chunk.length);
    this.#skipBytes -= known;
    if (known === chunk.length) return undefined;
    this.#received += chunk.length - known;
    return known === 0 ? chunk : chunk.subarray(known);
  }
}
