// The body of an answer while it arrives, and its readers. A late reader gets what has arrived; chunks that all readers
// have taken can be released.

/** A reader of the object. */
export interface Follower {
  /** There is more to know: the head, bytes, the end or an error. */
  progress(): void;
  /** Chunks taken so far. Chunks of an object that is too large to keep are released when all followers took them. */
  readonly taken: number;
  /** It lags so far behind that the others would have to wait for it: it gets no more. */
  drop(): void;
}

/** The chunks of one body, and its followers. Chunks are kept until `release` or `forget`. */
export class ArrivingBody {
  readonly #followers = new Set<Follower>();
  readonly #chunks: (Buffer | undefined)[] = [];
  #released = 0;

  /** Chunks that have arrived, those let go included. */
  get arrived(): number {
    return this.#chunks.length;
  }

  /** undefined for one that was released or has not arrived. */
  chunk(index: number): Buffer | undefined {
    return this.#chunks[index];
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  /** All of it, of so many bytes, none of which was let go. */
  whole(size: number): Buffer {
    return wholeOf(this.#chunks as Buffer[], size);
  }

  forget(): void {
    this.#chunks.length = 0;
  }

  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  follow(follower: Follower): void {
    this.#followers.add(follower);
  }

  /** False when it had left before. */
  leave(follower: Follower): boolean {
    return this.#followers.delete(follower);
  }

  tell(): void {
    for (const follower of this.#followers) follower.progress();
  }

  /** A follower has taken all that arrived. */
  get isAwaited(): boolean {
    for (const { taken } of this.#followers) if (taken === this.#chunks.length) return true;
    return false;
  }

  /** Releases the chunks that all have taken; returns their bytes. */
  release(): number {
    let slowest = this.#chunks.length;
    for (const follower of this.#followers) slowest = Math.min(slowest, follower.taken);
    let bytes = 0;
    for (; this.#released < slowest; this.#released += 1) {
      bytes += this.#chunks[this.#released]?.length ?? 0;
      this.#chunks[this.#released] = undefined;
    }
    return bytes;
  }

  /** Drops the followers furthest behind, if others would have to wait for them; false: none was dropped. */
  dropLast(): boolean {
    const last = this.isAwaited ? [...this.#followers].filter(({ taken }) => taken <= this.#released) : [];
    for (const follower of last) {
      this.#followers.delete(follower);
      follower.drop();
    }
    return last.length > 0;
  }
}

/**
 * In memory of its own: a chunk may be cut from a larger buffer, and so are small buffers that Node.js allocates from
 * its pool.
 */
function wholeOf(chunks: readonly Buffer[], size: number): Buffer {
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1 && only.buffer.byteLength <= size + size / 8) return only;
  const body = Buffer.allocUnsafeSlow(size);
  let position = 0;
  for (const chunk of chunks) position += chunk.copy(body, position);
  return body;
}
