// One request of a player, from its header to the end of its answer, with what is counted and logged of it.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Access, Admission } from '../access/access.js';
import type { Config } from '../config-schema.js';
import type { WeirError } from '../errors.js';
import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import type { ChannelName } from '../model.js';
import { plainAddress } from '../net-address.js';
import { type Protocol, statusClass } from '../traffic-metrics.js';
import { accessFields } from './access-log.js';
import { clientKey, playerAddress } from './client-key.js';
import { errorAnswer } from './error-answer.js';
import { acceptableRequestId, corsHeaders, type Hop } from './headers.js';

/** What every request needs of the edge. */
export interface EdgeContext {
  readonly settings: Config['http'];
  readonly log: Pick<Config['log'], 'requests'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly access: Access;
  /** This edge in `Via`: protocol version and a name of its own, so that a loop is seen. */
  readonly via: string;
  /** Who asks on this listener: players, or the other workers for theirs. */
  readonly audience: 'players' | 'peers';
  /** True while the edge shuts down: connections are not kept. */
  readonly draining: () => boolean;
}

/** One request of a player. Counts and logs it once, when its answer is over. */
export class PlayerExchange {
  readonly request: IncomingMessage;
  readonly edge: EdgeContext;
  readonly hop: Hop;
  protocol: Protocol = 'other';
  channel: ChannelName | undefined;
  /** The right by which the player plays, where one is needed. */
  admission: Admission | undefined;
  /** Parameters that go into each URI of this player's playlists, and nowhere else; empty: none. */
  carried = '';
  /** The service address that answers, or another worker. */
  endpoint: string | undefined;
  readonly #startedAt = performance.now();
  #firstByteAt: number | undefined;
  #status = 0;
  #code: string | undefined;
  #detail: string | undefined;
  #bytesOut = 0;
  #open = false;
  #ended = false;

  constructor(request: IncomingMessage, edge: EdgeContext) {
    this.request = request;
    this.edge = edge;
    const { trustForwarded } = edge.settings;
    const given = trustForwarded ? acceptableRequestId(request.headers['x-request-id']) : undefined;
    this.hop = {
      remoteAddress: plainAddress(request.socket.remoteAddress ?? 'unknown'),
      requestId: given ?? randomUUID(),
      via: edge.via,
      trustForwarded,
    };
  }

  /** Of the player, as far as that is known. */
  get address(): string {
    return playerAddress(this.hop.remoteAddress, this.#forwardedFor);
  }

  /** Who asks, for limits of one client; undefined: another worker, which limits its own. */
  get client(): string | undefined {
    if (this.edge.audience === 'peers') return undefined;
    return clientKey(this.hop.remoteAddress, this.#forwardedFor);
  }

  get cors() {
    return corsHeaders(this.edge.settings.cors, this.request.headers.origin);
  }

  get #forwardedFor(): string | string[] | undefined {
    return this.hop.trustForwarded ? this.request.headers['x-forwarded-for'] : undefined;
  }

  /** The answer's status is settled, and its first byte leaves. */
  started(status: number): void {
    if (this.#open) return;
    this.#open = true;
    this.#status = status;
    this.#firstByteAt = performance.now();
    this.edge.metrics.counts.openStreams[this.protocol] += 1;
  }

  sent(bytes: number): void {
    this.#bytesOut += bytes;
    this.edge.metrics.traffic.sent[this.protocol] += bytes;
  }

  /** For the log: what a relay wrote, which it counts by itself while it writes. */
  streamed(bytes: number): void {
    this.#bytesOut = bytes;
  }

  failed(error: WeirError): void {
    this.#code = error.code;
    this.#detail = error.side === 'client' ? undefined : error.message;
    if (this.#status === 0) this.#status = error.status;
  }

  /** Called once when the answer is over, however it ended: counts it and writes its log line. */
  ended(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { metrics, logger } = this.edge;
    const { protocol, channel, endpoint, request, hop } = this;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const firstByte = this.#firstByteAt === undefined ? undefined : (this.#firstByteAt - this.#startedAt) / 1000;
    if (this.#open) metrics.counts.openStreams[protocol] -= 1;
    if (this.#status === 0) this.#status = 499;
    metrics.counts.requests[protocol][statusClass(this.#status)] += 1;
    metrics.duration[protocol].observe(seconds);
    if (firstByte !== undefined) metrics.firstByte[protocol].observe(firstByte);
    if (!this.edge.log.requests) return;
    const record = {
      id: hop.requestId,
      method: request.method,
      target: request.url,
      protocol,
      channel,
      viewer: this.admission?.viewer,
      endpoint,
      status: this.#status,
      code: this.#code,
      detail: this.#detail,
      bytes: this.#bytesOut,
      firstByteSeconds: firstByte,
      durationSeconds: seconds,
      remote: this.address,
      agent: request.headers['user-agent'],
    };
    logger.info(accessFields(record), 'request');
  }
}

/** Answers with the error, or, in the middle of an answer, cuts it. */
export function answerError(exchange: PlayerExchange, response: ServerResponse, error: WeirError): void {
  exchange.failed(error);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { fields, body } = errorAnswer(error, exchange.hop.requestId);
  const headers: OutgoingHttpHeaders = { ...exchange.cors, ...fields };
  if (exchange.edge.draining()) headers['connection'] = 'close';
  exchange.started(error.status);
  response.writeHead(error.status, headers);
  response.end(exchange.request.method === 'HEAD' ? undefined : body);
}
