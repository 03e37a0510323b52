// The metrics of the path of every request and every chunk: plain numbers that the path adds to.

import type { Registry } from 'prom-client';
import type { PeerKind } from './model.js';
import {
  Buckets,
  byName,
  createGrid,
  createRow,
  gridSamples,
  registerTally,
  rowSamples,
  type TallyDefinition,
} from './tallies.js';

/** Seconds; from a cached answer on the same machine to the deadlines of a slow origin. */
export const latencyBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const durationBuckets = [0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120, 600, 3600, 14400];

const protocols = ['hls', 'flv', 'ws-flv', 'other'] as const;
/** What a player speaks; the label of everything counted per request. */
export type Protocol = (typeof protocols)[number];

const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;
const hlsKinds = ['playlist', 'object'] as const;
/** `joined`: it was under way for somebody else. */
const hlsResults = ['hit', 'joined', 'miss'] as const;

/** @param status of an answer, 100 to 599 */
export function statusClass(status: number): (typeof statusClasses)[number] {
  return statusClasses[Math.floor(status / 100) - 1] ?? '5xx';
}

/** Declares them. What it returns is added to, and read when `registry` is scraped. */
export function trafficMetrics(registry: Registry) {
  const traffic = {
    sent: createRow(protocols),
    received: createRow(protocols),
    /** Received from other workers of this edge, and from other edges. */
    peers: { worker: 0, edge: 0 } satisfies Record<PeerKind, number>,
  };
  const counts = {
    requests: createGrid(protocols, statusClasses),
    openStreams: createRow(protocols),
    /** Of players. */
    connections: 0,
    hls: createGrid(hlsKinds, hlsResults),
    hlsSavedBytes: 0,
  };
  const tally = (
    type: TallyDefinition['type'],
    name: string,
    help: string,
    samples: Parameters<typeof registerTally>[2],
  ) => registerTally(registry, { name, help, type }, samples);
  const single = (value: number) => [{ value, labels: {} }];
  const perProtocol = (name: string, help: string, bounds: readonly number[]) => {
    const buckets = byName(protocols, () => new Buckets(bounds));
    tally('histogram', name, help, () =>
      protocols.flatMap((protocol) => buckets[protocol].samples(name, { protocol })),
    );
    return buckets;
  };
  tally('counter', 'weir_http_sent_bytes_total', 'Body bytes sent to players.', () =>
    rowSamples('protocol', traffic.sent),
  );
  tally('counter', 'weir_upstream_received_bytes_total', 'Body bytes received from endpoints.', () =>
    rowSamples('protocol', traffic.received),
  );
  tally(
    'counter',
    'weir_worker_received_bytes_total',
    'Body bytes that a worker took from the worker that owns the channel.',
    () => single(traffic.peers.worker),
  );
  tally('counter', 'weir_hub_received_bytes_total', 'Body bytes taken from the edge that owns the channel.', () =>
    single(traffic.peers.edge),
  );
  tally('counter', 'weir_http_requests_total', 'Requests answered.', () =>
    gridSamples(['protocol', 'status_class'], counts.requests),
  );
  tally('gauge', 'weir_http_open_streams', 'Answers under way.', () => rowSamples('protocol', counts.openStreams));
  tally('gauge', 'weir_http_connections', "Players' open connections.", () => single(counts.connections));
  tally('counter', 'weir_hls_requests_total', 'HLS requests by how they were answered.', () =>
    gridSamples(['kind', 'result'], counts.hls),
  );
  tally('counter', 'weir_hls_saved_bytes_total', 'Body bytes sent without fetching them anew.', () =>
    single(counts.hlsSavedBytes),
  );
  const playlistAge = new Buckets([0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30]);
  const playlistAgeName = 'weir_hls_playlist_age_seconds';
  tally('histogram', playlistAgeName, 'Seconds since the origin was asked for the playlist that is served.', () =>
    playlistAge.samples(playlistAgeName),
  );

  return {
    /** Added to for every chunk. */
    traffic,
    /** Added to for every request. */
    counts,
    firstByte: perProtocol(
      'weir_http_first_byte_seconds',
      'Seconds from a request to the first byte of its answer.',
      latencyBuckets,
    ),
    duration: perProtocol(
      'weir_http_duration_seconds',
      'Seconds from a request to the end of its answer.',
      durationBuckets,
    ),
    hlsPlaylistAge: playlistAge,
  };
}
