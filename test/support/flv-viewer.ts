// A viewer of HTTP-FLV or WebSocket-FLV that keeps what it was given, as tags with the time of their arrival.

import { get, type IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { FlvParser } from '../../src/relay/flv/parser.js';
import type { FlvTag } from '../../src/relay/flv/tag.js';

export interface SeenTag {
  readonly type: number;
  readonly timestamp: number;
  readonly keyframe: boolean;
  readonly slot: string | undefined;
  readonly size: number;
  /** What the test's own origin writes into a video frame: who made it, and its number. */
  readonly frame: readonly [maker: number, number: number] | undefined;
  /** Monotonic ms. */
  readonly at: number;
}

export class FlvViewer {
  readonly tags: SeenTag[] = [];
  flags: { audio: boolean; video: boolean } | undefined;
  headers = 0;
  status = 0;
  answer: IncomingMessage | undefined;
  /** The body, where it is not FLV. */
  refusal = '';
  error: Error | undefined;
  ended = false;
  readonly #parser: FlvParser;
  #leave: () => void = () => undefined;

  constructor() {
    this.#parser = new FlvParser(
      {
        onHeader: (audio, video) => {
          this.flags = { audio, video };
          this.headers += 1;
        },
        onTag: (tag) => this.#onTag(tag),
      },
      1 << 24,
    );
  }

  /** Asks for an `http:` or `ws:` URL; returns at once. */
  static open(url: string, headers: Record<string, string> = {}): FlvViewer {
    const viewer = new FlvViewer();
    if (url.startsWith('ws:')) viewer.#openWebSocket(url);
    else viewer.#openHttp(url, headers);
    return viewer;
  }

  get media(): SeenTag[] {
    return this.tags.filter((tag) => tag.slot === undefined && tag.type !== 18);
  }
  get keyframes(): SeenTag[] {
    return this.tags.filter((tag) => tag.keyframe);
  }

  /** Timestamps of a track that are lower than the one before. */
  stepsBack(): number[] {
    return [8, 9].flatMap((type) => {
      const track = this.tags.filter((tag) => tag.type === type);
      return track.flatMap((tag, index) => {
        const step = tag.timestamp - (track[index - 1]?.timestamp ?? tag.timestamp);
        return step < 0 ? [step] : [];
      });
    });
  }

  /** The largest step forward within a track, ms of media. */
  largestGap(type: number): number {
    const track = this.media.filter((tag) => tag.type === type);
    return Math.max(0, ...track.map((tag, index) => tag.timestamp - (track[index - 1]?.timestamp ?? tag.timestamp)));
  }

  /** The longest time without a media tag that ended after `since` (monotonic ms; default: since the first tag), in ms. */
  longestPause(since = 0): number {
    const { media } = this;
    return Math.max(0, ...media.map((tag, index) => (tag.at < since ? 0 : tag.at - (media[index - 1]?.at ?? tag.at))));
  }

  leave(): void {
    this.#leave();
  }

  #onTag(tag: FlvTag): void {
    const { type, timestamp, keyframe, slot, body } = tag;
    const frame = type === 9 && body.length >= 13 ? ([body.readUInt32BE(5), body.readUInt32BE(9)] as const) : undefined;
    this.tags.push({ type, timestamp, keyframe, slot, size: body.length, frame, at: performance.now() });
  }

  #onData(chunk: Buffer): void {
    try {
      this.#parser.push(chunk);
    } catch (error) {
      this.error ??= error as Error;
    }
  }

  #openHttp(url: string, headers: Record<string, string>): void {
    const request = get(url, { headers: { connection: 'keep-alive', ...headers }, agent: false }, (response) => {
      this.answer = response;
      this.status = response.statusCode ?? 0;
      response.on('data', (chunk: Buffer) => {
        if (this.status === 200) this.#onData(chunk);
        else this.refusal += chunk.toString();
      });
      response.on('end', () => {
        this.ended = true;
      });
      response.on('error', (error) => {
        this.error ??= error;
        this.ended = true;
      });
    });
    request.on('error', (error) => {
      this.error ??= error;
      this.ended = true;
    });
    this.#leave = () => {
      this.ended = true;
      request.destroy();
    };
  }

  #openWebSocket(url: string): void {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.on('open', () => {
      this.status = 101;
    });
    socket.on('unexpected-response', (_request, response) => {
      this.status = response.statusCode ?? 0;
      this.ended = true;
      response.resume();
    });
    socket.on('message', (data: Buffer) => this.#onData(data));
    socket.on('error', (error) => {
      this.error ??= error;
    });
    socket.on('close', () => {
      this.ended = true;
    });
    this.#leave = () => socket.terminate();
  }
}
