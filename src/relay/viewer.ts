// One viewer's connection: what it gets of each window, and what happens when it does not keep up.

import type { Socket } from 'node:net';
import type { WeirError } from '../errors.js';
import type { Backlog } from './backlog.js';
import type { Framing, SharedFrame } from './frames.js';
import type { Window } from './window.js';

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

/** ms that a viewer is waited for, and waits. */
export interface ViewerPatience {
  /** That it may take to empty its socket. */
  readonly slowTimeout: number;
  /** After which it is let in without a keyframe: where none comes, it would get nothing for ever. */
  readonly firstByteTimeout: number;
}

/** What the last window did for a viewer. */
export type Delivery = 'sent' | 'entered' | 'skipped' | 'waiting' | 'too_slow';

/**
 * Its socket is the only queue. One that holds more than the limit gets nothing until it is empty, and goes on with the
 * next keyframe.
 */
export class Viewer {
  readonly socket: Socket;
  readonly framing: Framing;
  readonly hooks: ViewerHooks;
  /** Monotonic ms. */
  readonly attachedAt: number;
  /** Bytes written to the socket before the stream. */
  readonly bytesBefore: number;
  #state: 'joining' | 'flowing' | 'draining' | 'resuming' = 'joining';
  /** Windows up to this number are in what it got on joining. */
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
    this.attachedAt = now;
    this.#since = now;
    this.#takenAt = now;
    this.bytesBefore = socket.bytesWritten;
  }

  /** Starts the stream, with everything up to a window, or with the next keyframe where there is no frame yet. */
  join(frame: SharedFrame | null, covered: Pick<Window, 'number' | 'end'>, endpoint: string | undefined): void {
    this.hooks.onStart(endpoint);
    this.#coveredTo = covered.number;
    if (frame !== null) this.#enter(frame, covered.end);
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

  /** limit: bytes that the socket may hold. */
  take(window: Window, limit: number, patience: ViewerPatience, now: number): Delivery {
    if (window.number <= this.#coveredTo) return 'waiting';
    const { socket } = this;
    if (this.#state === 'flowing') {
      const bytes = window.frame.as(this.framing);
      const queued = socket.writableLength;
      if (queued === 0 || queued + bytes.length <= limit) {
        socket.write(bytes);
        this.#to = window.end;
        return 'sent';
      }
      this.#state = 'draining';
      this.#since = now;
      return 'skipped';
    }
    if (this.#state === 'draining') {
      if (socket.writableLength > 0) return now - this.#since >= patience.slowTimeout ? 'too_slow' : 'waiting';
      this.#state = 'resuming';
      this.#since = now;
    }
    const anywhere = now - this.#since >= patience.firstByteTimeout;
    const frame = this.#state === 'joining' ? window.opening(anywhere) : window.entry(anywhere);
    if (frame === undefined) return 'waiting';
    const joined = this.#state === 'joining';
    this.#enter(frame, window.end);
    return joined ? 'entered' : 'sent';
  }

  #enter(frame: SharedFrame, end: number): void {
    this.#state = 'flowing';
    this.#entry = frame;
    this.#from = end;
    this.#to = end;
    this.socket.write(frame.as(this.framing));
  }
}
