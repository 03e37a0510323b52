// An HTTP-FLV origin in the test's own process whose stream does what the test says: it stalls, breaks, jumps.

import type { ServerResponse } from 'node:http';
import { flvFile, flvTag } from './flv-bytes.js';
import { startHttpOrigin, type TestOrigin } from './origin-server.js';

export interface LiveOriginOptions {
  /** First timestamp, ms. Default 0. */
  readonly start?: number;
  /** ms from keyframe to keyframe; 0: none after the first. Default 400. */
  readonly group?: number;
  /** What the FLV header claims. Default both. */
  readonly claims?: { readonly audio: boolean; readonly video: boolean };
  readonly audio?: boolean;
  readonly video?: boolean;
  /** Whether a newcomer is sent the group so far. Default true. */
  readonly cache?: boolean;
  /** The one byte by which AVC headers of origins differ here. */
  readonly profile?: number;
  /** Bytes of a video frame. Default 200. */
  readonly frameSize?: number;
  readonly status?: number;
  /** Frames of origins with the same encoder are the same; ms since this moment (monotonic) is their clock. */
  readonly encoder?: number;
  /** How far this origin is behind its encoder, ms. Default 0. */
  readonly lag?: number;
  /** Frames come only from `nextFrame`, at the pace of the test instead of the clock's. */
  readonly byHand?: boolean;
}

let origins = 0;

const frameInterval = 20;
const onMetaData = Buffer.concat([
  Buffer.from([2, 0, 10]),
  Buffer.from('onMetaData'),
  Buffer.from([8, 0, 0, 0, 0, 0, 0, 9]),
]);
const setDataFrame = Buffer.concat([Buffer.from([2, 0, 13]), Buffer.from('@setDataFrame'), onMetaData]);

export class LiveOrigin {
  readonly #options: LiveOriginOptions;
  readonly #viewers = new Set<ServerResponse>();
  readonly #timer: NodeJS.Timeout | undefined;
  #server: TestOrigin | undefined;
  #group: Buffer[] = [];
  #frame = 0;
  readonly #seed: number;
  #offset = 0;
  /** Monotonic ms of the next frame. */
  #due: number;
  #lastKeyframe = Number.NEGATIVE_INFINITY;
  profile: number;
  stalled = false;
  keyframes = true;
  /** Requests seen. */
  pulls = 0;

  private constructor(options: LiveOriginOptions) {
    this.#options = options;
    this.profile = options.profile ?? 0x42;
    origins += 1;
    this.#seed = options.encoder ?? origins;
    this.#due = (options.encoder ?? performance.now()) + (options.lag ?? 0) + frameInterval;
    if (options.byHand !== true) this.#timer = setInterval(() => this.#tick(), frameInterval);
  }

  static async start(options: LiveOriginOptions = {}): Promise<LiveOrigin> {
    const origin = new LiveOrigin(options);
    origin.#server = await startHttpOrigin((_request, response) => origin.#join(response));
    return origin;
  }

  get address(): string {
    return this.#server?.address ?? '';
  }
  /** Connections open now. */
  get viewers(): number {
    return this.#viewers.size;
  }
  /** Number of the last frame. */
  get frame(): number {
    return this.#frame;
  }
  get requests() {
    return this.#server?.requests ?? [];
  }

  /** Moves the clock of the stream by so many ms. */
  jump(by: number): void {
    this.#offset += by;
  }

  /** Sends bytes as they are to everybody. */
  send(bytes: Buffer): void {
    for (const viewer of this.#viewers) viewer.write(bytes);
  }

  /** The next frame, to everybody. */
  nextFrame(): void {
    if (this.stalled) return;
    const { start = 0, group = 400, audio = true, video = true, frameSize = 200 } = this.#options;
    const at = this.#frame * frameInterval;
    const timestamp = (start + this.#offset + at) >>> 0;
    const key = this.keyframes && (group === 0 ? this.#frame === 0 : at - this.#lastKeyframe >= group);
    this.#frame += 1;
    const tags: Buffer[] = [];
    if (video) {
      const body = Buffer.alloc(frameSize, 0x5a);
      body.set([key ? 0x17 : 0x27, 1, 0, 0, 0]);
      // No two frames are alike, unless they come from one encoder.
      body.writeUInt32BE(this.#seed, 5);
      body.writeUInt32BE(this.#frame, 9);
      tags.push(flvTag(9, timestamp, body));
    }
    if (audio) tags.push(flvTag(8, timestamp, Buffer.from([0xaf, 1, 1, 2, 3])));
    if (key) {
      this.#lastKeyframe = at;
      this.#group = [];
    }
    if (video) this.#group.push(...tags);
    this.send(Buffer.concat(tags));
  }

  /** The sequence headers and metadata as they are now. */
  headers(): Buffer {
    const { audio = true, video = true } = this.#options;
    return Buffer.concat([
      flvTag(18, 0, setDataFrame),
      video ? flvTag(9, 0, Buffer.from([0x17, 0, 0, 0, 0, 1, this.profile])) : Buffer.alloc(0),
      audio ? flvTag(8, 0, Buffer.from([0xaf, 0, 0x12, 0x10])) : Buffer.alloc(0),
    ]);
  }

  /** Ends every stream cleanly. */
  end(): void {
    for (const viewer of this.#viewers) viewer.end();
  }

  /** Cuts every stream. */
  cut(): void {
    for (const viewer of this.#viewers) viewer.destroy();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#server?.close();
  }

  #join(response: ServerResponse): void {
    this.pulls += 1;
    const { claims = { audio: true, video: true }, cache = true, status = 200 } = this.#options;
    if (status !== 200) {
      response.writeHead(status).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'video/x-flv' });
    response.write(Buffer.concat([flvFile(claims.audio, claims.video, []), this.headers()]));
    if (cache && this.#group.length > 0) response.write(Buffer.concat(this.#group));
    this.#viewers.add(response);
    response.on('close', () => this.#viewers.delete(response));
  }

  /** Frames come at their pace also when the timer is late. */
  #tick(): void {
    for (const now = performance.now(); this.#due <= now; this.#due += frameInterval) this.nextFrame();
  }
}
