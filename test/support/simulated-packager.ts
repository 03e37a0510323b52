// An HLS origin whose every answer a test decides: windows, numbers, sessions of its own (SRS's hls_ctx, a cookie), and what it
// withholds. Real HTTP, made-up media: bodies say who they are.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { startHttpOrigin, type TestOrigin } from './origin-server.js';

export interface PackagerOptions {
  readonly name: string;
  /** Number of the first segment. Default 0. */
  readonly first?: number;
  /** Segments listed. Default 6. */
  readonly size?: number;
  /** Seconds a segment. Default 2. */
  readonly duration?: number;
  /** Name of a segment; default `<channel>-<number>.ts`. */
  readonly segmentName?: (sequence: number) => string;
  /**
   * ctx: as SRS does by default. The playlist's own URL answers with a master of one variant, itself, with a context in its
   * query; an unknown context gets a master again. cookie, query: a child playlist without the session its master gave is
   * answered 401.
   */
  readonly session?: 'ctx' | 'cookie' | 'query';
  /** Names of variants; with any, the channel's playlist is a master. */
  readonly variants?: readonly string[];
  readonly headers?: Record<string, string>;
  readonly segmentHeaders?: Record<string, string>;
  /** Lines before the segments. */
  readonly extra?: string;
}

export class SimulatedPackager {
  readonly name: string;
  first: number;
  count: number;
  life = 0;
  ended = false;
  /** The list does not grow, whatever happens. */
  frozen = false;
  /** Answers nothing at all. */
  silent = false;
  /** Segments that are listed and not there. */
  readonly missing = new Set<number>();
  /** Segments that end short. */
  readonly short = new Set<number>();
  /** Status for everything. */
  status = 200;
  /** Status for requests with such a query; undefined: they are answered. */
  refusal: (query: URLSearchParams, path: string) => number | undefined = () => undefined;
  /** Requests by path and query. */
  readonly counts = new Map<string, number>();
  readonly #options: PackagerOptions;
  readonly #sessions = new Set<string>();
  #origin: TestOrigin | undefined;
  #made = 0;

  constructor(options: PackagerOptions) {
    this.name = options.name;
    this.#options = options;
    this.first = options.first ?? 0;
    this.count = options.size ?? 6;
  }

  async start(): Promise<this> {
    this.#origin = await startHttpOrigin((request, response) => this.#answer(request, response));
    return this;
  }

  get address(): string {
    return this.#origin?.address ?? '';
  }

  get requests(): readonly IncomingMessage[] {
    return this.#origin?.requests ?? [];
  }

  /** Requests for segments by path, pins and queries left out. */
  get segmentCounts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const [url, count] of this.counts) {
      const path = url.split('?', 1)[0] ?? '';
      if (path.endsWith('.ts')) counts.set(path, (counts.get(path) ?? 0) + count);
    }
    return counts;
  }

  close(): Promise<void> {
    return this.#origin?.close() ?? Promise.resolve();
  }

  /** Forgets all sessions, as a restart does. */
  forgetSessions(): void {
    this.#sessions.clear();
  }

  grow(segments = 1): void {
    if (!this.frozen) this.first += segments;
  }

  restart(first = 0): void {
    this.life += 1;
    this.first = first;
    this.count = 1;
  }

  body(sequence: number): string {
    return `${this.name} life ${this.life} segment ${sequence} ${'x'.repeat(1000)}`;
  }

  #newSession(): string {
    this.#made += 1;
    const session = `s${this.#made}`;
    this.#sessions.add(session);
    return session;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '';
    this.counts.set(url, (this.counts.get(url) ?? 0) + 1);
    if (this.silent) return;
    if (this.status !== 200) {
      response.writeHead(this.status).end();
      return;
    }
    const { pathname, searchParams } = new URL(url, 'http://origin');
    const refused = this.refusal(searchParams, pathname);
    if (refused !== undefined) {
      response.writeHead(refused).end();
      return;
    }
    if (pathname.endsWith('.m3u8')) this.#playlist(request, response, pathname, searchParams);
    else if (pathname.endsWith('.ts')) this.#segment(response, pathname);
    else if (pathname.endsWith('.key')) response.end('0123456789abcdef');
    else response.writeHead(404).end();
  }

  #playlist(request: IncomingMessage, response: ServerResponse, path: string, query: URLSearchParams): void {
    const { session, variants = [], headers = {} } = this.#options;
    const file = path.slice(path.lastIndexOf('/') + 1);
    response.setHeader('content-type', 'application/vnd.apple.mpegurl');
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (session === 'ctx' && !this.#sessions.has(query.get('hls_ctx') ?? '')) {
      response.end(`#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n${path}?hls_ctx=${this.#newSession()}\n`);
      return;
    }
    if (variants.length === 0) {
      response.end(this.playlist(session === 'ctx' ? `?hls_ctx=${query.get('hls_ctx')}` : ''));
      return;
    }
    const variant = variants.indexOf(file);
    if (variant === -1) {
      const made = session === 'cookie' || session === 'query' ? this.#newSession() : '';
      if (session === 'cookie') response.setHeader('set-cookie', `session=${made}; Path=/; HttpOnly`);
      const lines = variants.map((name, index) => {
        const suffix = session === 'query' ? `?session=${made}` : '';
        return `#EXT-X-STREAM-INF:BANDWIDTH=${1000 * (index + 1)}\n${name}${suffix}\n`;
      });
      response.end(`#EXTM3U\n${lines.join('')}`);
      return;
    }
    const given =
      session === 'query' ? query.get('session') : /session=([^;]*)/.exec(request.headers.cookie ?? '')?.[1];
    if ((session === 'query' || session === 'cookie') && !this.#sessions.has(given ?? '')) {
      response.writeHead(401).end();
      return;
    }
    response.end(this.playlist(session === 'query' ? `?session=${given}` : '', `${file.replace('.m3u8', '')}-`));
  }

  playlist(suffix = '', prefix = ''): string {
    const { duration = 2, segmentName = (sequence) => `news-${sequence}.ts`, extra = '' } = this.#options;
    const lines = Array.from({ length: this.count }, (_, index) => {
      const name = segmentName(this.first + index);
      return `#EXTINF:${duration.toFixed(3)},\n${prefix}${name}${suffix}\n`;
    });
    const head = `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:${Math.ceil(duration)}\n`;
    const end = this.ended ? '#EXT-X-ENDLIST\n' : '';
    return `${head}#EXT-X-MEDIA-SEQUENCE:${this.first}\n${extra}${lines.join('')}${end}`;
  }

  #segment(response: ServerResponse, path: string): void {
    const sequence = Number(/(\d+)\.ts$/.exec(path)?.[1]);
    for (const [name, value] of Object.entries(this.#options.segmentHeaders ?? {})) response.setHeader(name, value);
    if (this.missing.has(sequence)) {
      response.writeHead(404).end('not here');
      return;
    }
    const body = this.body(sequence);
    response.setHeader('content-type', 'video/mp2t');
    response.setHeader('content-length', Buffer.byteLength(body));
    if (this.short.has(sequence)) {
      response.write(body.slice(0, 100), () => response.destroy());
      return;
    }
    response.end(body);
  }
}
