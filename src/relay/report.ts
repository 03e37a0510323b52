// The report of a running relay, and its JSON.

import type { PeerKind } from '../model.js';
import type { Framing } from './audience/frames.js';

/** A relay as it is at one moment. */
export interface RelayReport {
  readonly channel: string;
  readonly path: string;
  readonly state: 'starting' | 'live' | 'holding';
  /** The service address that delivers now. */
  readonly endpoint: string | undefined;
  /** The kind of peer that does, if none of the origins. */
  readonly fromPeer: PeerKind | undefined;
  readonly videoCodec: string | undefined;
  readonly audioCodec: string | undefined;
  /** kbit/s, measured; undefined until enough was seen. */
  readonly kbps: number | undefined;
  /** From keyframe to keyframe. */
  readonly groupMs: number | undefined;
  readonly viewers: Readonly<Record<Framing, number>>;
  readonly waiting: number;
  readonly failovers: number;
}

/** As `/api/v1/relays` answers it. */
export function relayJson(report: RelayReport) {
  const { chunked, raw, websocket, peer } = report.viewers;
  return {
    channel: report.channel,
    path: report.path,
    state: report.state,
    endpoint: report.endpoint,
    from_worker: report.fromPeer === 'worker',
    from_edge: report.fromPeer === 'edge',
    video_codec: report.videoCodec,
    audio_codec: report.audioCodec,
    bitrate: report.kbps,
    gop_seconds: report.groupMs === undefined ? undefined : report.groupMs / 1000,
    viewers: { http: chunked + raw, websocket, workers: peer, waiting: report.waiting },
    failovers: report.failovers,
  };
}

/** What `relayJson` makes of a report. */
export type RelayJson = ReturnType<typeof relayJson>;
