// Sends one endless FLV stream, paced like a live one, to all who joined. Owns the viewers and the pacing timer.

import type { FlvLoop } from './flv-loop.js';

/** Where a viewer's bytes go: an HTTP response or a WebSocket. */
export interface FlvViewer {
  write(bytes: Buffer): void;
  /** Bytes accepted by `write` that have not left the process. */
  backlog(): number;
  /** Ends the stream cleanly. */
  end(): void;
  /** Cuts the connection. */
  cut(): void;
}

export interface FlvBroadcastOptions {
  /** Milliseconds on the stream's clock. */
  readonly position: () => number;
  /** `stream`: timestamps of the stream's clock. `connection`: they start at 0 for each viewer, as SRS does. */
  readonly timestamps: 'stream' | 'connection';
  /** A viewer with more than this many bytes unsent is cut. */
  readonly maxBacklogBytes: number;
}

const tickMs = 40;
/** After a longer pause (a suspended machine) the stream goes on at the present, without what was missed. */
const maxPauseMs = 10_000;

/** One FLV stream for any number of viewers, from `join` to `close`. */
export class FlvBroadcast {
  readonly #loop: FlvLoop;
  readonly #options: FlvBroadcastOptions;
  /** Each viewer with what is taken off its timestamps. */
  readonly #viewers = new Map<FlvViewer, number>();
  /** Index of the next tag to send. */
  #next = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(loop: FlvLoop, options: FlvBroadcastOptions) {
    this.#loop = loop;
    this.#options = options;
  }

  get size(): number {
    return this.#viewers.size;
  }

  /** Sends all a late joiner needs, from the last keyframe on, and keeps sending until `leave`. */
  join(sink: FlvViewer): void {
    this.#tick();
    const start = this.#loop.keyframeBefore(this.#next);
    const origin = this.#options.timestamps === 'stream' ? 0 : this.#loop.timeOf(start);
    sink.write(this.#loop.header);
    sink.write(this.#loop.opening(this.#loop.timeOf(start) - origin));
    sink.write(this.#loop.render(start, this.#next, origin));
    this.#viewers.set(sink, origin);
    this.#timer ??= setInterval(() => this.#tick(), tickMs);
  }

  leave(sink: FlvViewer): void {
    this.#viewers.delete(sink);
    if (this.#viewers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Ends every viewer's stream. */
  close(): void {
    for (const sink of this.#viewers.keys()) {
      this.leave(sink);
      sink.end();
    }
  }

  #tick(): void {
    const position = this.#options.position();
    const from = this.#next;
    const end = Math.max(1, this.#loop.firstAfter(position));
    // A clock that was set back: wait for it, so that no tag is sent twice.
    if (end <= from && this.#viewers.size > 0) return;
    this.#next = end;
    const start =
      position - this.#loop.timeOf(from) > maxPauseMs ? Math.max(from, this.#loop.keyframeBefore(end)) : from;
    let shared: Buffer | undefined;
    for (const [sink, origin] of this.#viewers) {
      if (sink.backlog() > this.#options.maxBacklogBytes) {
        this.leave(sink);
        sink.cut();
        continue;
      }
      if (origin === 0) shared ??= this.#loop.render(start, end);
      sink.write(origin === 0 && shared !== undefined ? shared : this.#loop.render(start, end, origin));
    }
  }
}
