// How an object is asked for, whoever asks: what starts the request, and the head of the answer.

import type { IncomingHttpHeaders } from 'node:http';
import type { Exchange, UpstreamHandler } from '../../upstream/client.js';

/** The head of an answer. */
export interface ObjectHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** Starts the request; `conditions` are the header fields that ask only whether a stored copy still holds. */
export type Load = (conditions: Record<string, string>, handler: UpstreamHandler) => Exchange;
