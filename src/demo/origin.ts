// A simulated origin: an HTTP server that plays the recorded sample as live HLS, HTTP-FLV and WebSocket-FLV.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { FlvBroadcast, type FlvViewer } from './flv-broadcast.js';
import { type Answer, answer, type OriginContent } from './origin-answer.js';
import { sample, segmentSeconds } from './sample.js';

export interface OriginOptions {
  /** Names of the channels it serves; all of them show the same pictures. */
  readonly channels: readonly string[];
  /** First path segment of every URL. Default `live`. */
  readonly app?: string;
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: a free port. */
  readonly port?: number;
  /** Sent as `X-Origin`, so that one can see who answered. Default `origin`. */
  readonly name?: string;
  /** Milliseconds; any clock that does not go back. Default `Date.now`. */
  readonly clock?: () => number;
  /** What the clock showed when the stream began. Default: 16 s before now, so that a playlist is there at once. */
  readonly epoch?: number;
  /** Media sequence number of the segment at the epoch. Default 0. */
  readonly mediaSequenceBase?: number;
  /** Segments in a playlist. Default 6. */
  readonly windowSegments?: number;
  /** Default `stream`; see FlvBroadcastOptions. */
  readonly flvTimestamps?: 'stream' | 'connection';
  /** An FLV viewer with more bytes unsent is cut. Default 1 MiB: some 40 s of the sample. */
  readonly maxBacklogBytes?: number;
  /**
   * Sees every request first, WebSocket upgrades too (then without a response). `'handled'` says that it answers, or
   * leaves the player waiting.
   */
  readonly onRequest?: (request: IncomingMessage, response: ServerResponse | undefined) => 'handled' | undefined;
}

export interface Origin {
  readonly host: string;
  readonly port: number;
  /** `host:port`, as an endpoint registers it. */
  readonly address: string;
  /** FLV viewers, over HTTP and WebSocket. */
  readonly viewers: number;
  /** Ends all streams and connections. */
  close(): Promise<void>;
}

const cors = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': 'Range',
  'Access-Control-Expose-Headers': 'X-Origin',
};

/** Starts listening. Rejects when the port is taken. */
export async function startOrigin(options: OriginOptions): Promise<Origin> {
  const host = options.host ?? '127.0.0.1';
  const clock = options.clock ?? Date.now;
  const epoch = options.epoch ?? clock() - 16_000;
  const position = () => Math.max(0, clock() - epoch);
  const media = sample();
  const content: OriginContent = {
    app: options.app ?? 'live',
    channels: options.channels,
    segmentSeconds,
    windowSegments: options.windowSegments ?? 6,
    sequenceBase: options.mediaSequenceBase ?? 0,
    segment: (index) => media.ts.segment(index),
  };
  const broadcast = new FlvBroadcast(media.flv, {
    position,
    timestamps: options.flvTimestamps ?? 'stream',
    maxBacklogBytes: options.maxBacklogBytes ?? 1024 * 1024,
  });

  function answerTo(request: IncomingMessage): Answer {
    const { method = '', url = '', headers } = request;
    const asked = { method, url, range: headers.range, ifNoneMatch: headers['if-none-match'] };
    return answer(asked, content, position() / 1000);
  }

  function serve(request: IncomingMessage, response: ServerResponse): void {
    if (options.onRequest?.(request, response) === 'handled') return;
    for (const [name, value] of Object.entries(cors)) response.setHeader(name, value);
    response.setHeader('X-Origin', options.name ?? 'origin');
    const reply = answerTo(request);
    if (reply.kind === 'whole') {
      const length = reply.status === 304 || reply.status === 204 ? {} : { 'Content-Length': reply.body.length };
      response.writeHead(reply.status, { ...reply.headers, ...length });
      response.end(request.method === 'HEAD' ? undefined : reply.body);
      return;
    }
    response.writeHead(200, { 'Content-Type': 'video/x-flv', 'Cache-Control': 'no-store' });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const sink = httpSink(response);
    response.once('close', () => broadcast.leave(sink));
    broadcast.join(sink);
  }

  const server = createServer(serve);
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    if (options.onRequest?.(request, undefined) === 'handled') return;
    if (answerTo(request).kind !== 'flv') {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const sink = webSocketSink(webSocket);
      webSocket.on('error', () => webSocket.terminate());
      webSocket.once('close', () => broadcast.leave(sink));
      broadcast.join(sink);
    });
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    host,
    port,
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    get viewers() {
      return broadcast.size;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      broadcast.close();
      for (const webSocket of webSockets.clients) webSocket.terminate();
      server.closeAllConnections();
      await closed;
    },
  };
}

function httpSink(response: ServerResponse): FlvViewer {
  return {
    write: (bytes) => response.write(bytes),
    backlog: () => response.writableLength + (response.socket?.writableLength ?? 0),
    end: () => response.end(),
    cut: () => response.destroy(),
  };
}

function webSocketSink(webSocket: WebSocket): FlvViewer {
  return {
    write: (bytes) => webSocket.send(bytes),
    backlog: () => webSocket.bufferedAmount,
    end: () => webSocket.close(1000),
    cut: () => webSocket.terminate(),
  };
}
