// One viewer's connection: what it gets of each batch, and what happens when it does not keep up.

import type { Socket } from 'node:net';
import type { WeirError } from '../../errors.js';
import type { Backlog } from './backlog.js';
import type { Batch } from './batch.js';
import type { Framing, SharedFrame } from './frames.js';

/** How whoever accepted the connection hears of it. */
export interface ViewerHooks {
  /**
   * The stream is there: write the head of the answer. Bytes of the stream follow on the socket at once. `endpoint` is
   * the service address that delivers it now, if any.
   */
  onStart(endpoint: string | undefined): void;
  /** There is no stream for this viewer: answer the error. Instead of onStart. */
  onRefused(error: WeirError): void;
  /** The stream is over, after onStart: end the answer. Not called when the viewer left. */
  onEnd(): void;
}

/** For how long a viewer is waited for, and waits. */
export interface ViewerPatience {
  /** That it may take to empty its socket. */
  readonly slowTimeoutMs: number;
  /** After which it is let in without a keyframe: where none comes, it would get nothing for ever. */
  readonly firstByteTimeoutMs: number;
}

/** What the last batch did for a viewer: `entered` and `resumed` with bytes of its own, `entryBytes`, instead of the batch. */
export type Delivery = 'sent' | 'entered' | 'resumed' | 'skipped' | 'waiting' | 'too_slow';

/**
 * Its socket is the only queue. One that holds more than the limit gets nothing until it is empty, and goes on with the
 * next keyframe.
 */
export class Viewer {
  readonly socket: Socket;
  readonly framing: Framing;
  readonly hooks: ViewerHooks;
  /** Monotonic ms at which it asked for the stream. */
  readonly askedAt: number;
  #state: 'joining' | 'flowing' | 'draining' | 'resuming' = 'joining';
  /** Batches up to this number are in what it got on joining. */
  #coveredTo = 0;
  /** Monotonic ms at which it got into its state. */
  #since: number;
  /** What it was given to begin with, as long as its socket may hold that. */
  #entry: SharedFrame | undefined;
  /** Positions in the stream, in bytes: where it began, and how far it was given. */
  #from = 0;
  #to = 0;
  /** Bytes that its socket got rid of, and since when these did not change. */
  #taken = 0;
  #takenAt: number;

  constructor(socket: Socket, framing: Framing, hooks: ViewerHooks, now: number) {
    this.socket = socket;
    this.framing = framing;
    this.hooks = hooks;
    this.askedAt = now;
    this.#since = now;
    this.#takenAt = now;
  }

  /** Starts the stream, with everything up to a batch, or with the next keyframe where there is no frame yet. */
  join(frame: SharedFrame | null, covered: Pick<Batch, 'number' | 'endBytes'>, endpoint: string | undefined): void {
    this.hooks.onStart(endpoint);
    this.#coveredTo = covered.number;
    if (frame !== null) this.#enter(frame, covered.endBytes);
  }

  /** Bytes of what it was given to begin with, right after it was given that. */
  get entryBytes(): number {
    return this.#entry?.length ?? 0;
  }

  /** What its socket holds; undefined where that is nothing. To be asked regularly. */
  backlog(stream: object, now: number): Backlog | undefined {
    const queued = this.socket.writableLength;
    const taken = this.socket.bytesWritten - queued;
    if (taken !== this.#taken) this.#takenAt = now;
    this.#taken = taken;
    if (queued <= this.#to - this.#from) this.#entry = undefined;
    if (queued === 0) return undefined;
    const from = Math.max(this.#from, this.#to - queued);
    // Another worker has viewers of its own: it goes last.
    const takenAt = this.framing === 'peer' ? Number.POSITIVE_INFINITY : this.#takenAt;
    return { stream, from, to: this.#to, entry: this.#entry, takenAt };
  }

  /**
   * Gives it what it is to get of the next batch.
   *
   * @param maxBytes that the socket may hold
   * @param now monotonic ms
   */
  take(batch: Batch, maxBytes: number, patience: ViewerPatience, now: number): Delivery {
    if (batch.number <= this.#coveredTo) return 'waiting';
    const { socket } = this;
    if (this.#state === 'flowing') {
      const bytes = batch.frame.as(this.framing);
      const queued = socket.writableLength;
      if (queued === 0 || queued + bytes.length <= maxBytes) {
        socket.write(bytes);
        this.#to = batch.endBytes;
        return 'sent';
      }
      this.#state = 'draining';
      this.#since = now;
      return 'skipped';
    }
    if (this.#state === 'draining') {
      if (socket.writableLength > 0) return now - this.#since >= patience.slowTimeoutMs ? 'too_slow' : 'waiting';
      this.#state = 'resuming';
      this.#since = now;
    }
    const anywhere = now - this.#since >= patience.firstByteTimeoutMs;
    const frame = this.#state === 'joining' ? batch.opening(anywhere) : batch.entry(anywhere);
    if (frame === undefined) return 'waiting';
    const joined = this.#state === 'joining';
    this.#enter(frame, batch.endBytes);
    return joined ? 'entered' : 'resumed';
  }

  #enter(frame: SharedFrame, endBytes: number): void {
    this.#state = 'flowing';
    this.#entry = frame;
    this.#from = endBytes;
    this.#to = endBytes;
    this.socket.write(frame.as(this.framing));
  }
}
