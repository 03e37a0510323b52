// FLV that another edge asks for at a worker that does not own the channel: handed on as it comes from the worker that does.

import { WeirError } from '../errors.js';
import { answerError } from '../http/exchange.js';
import { edgeField } from '../http/fields.js';
import type { RouteHandler } from '../http/server.js';
import type { ChannelName } from '../model.js';
import { attempt } from '../upstream/attempts.js';
import type { UpstreamClient, UpstreamHandler } from '../upstream/client.js';
import type { Peer } from './view.js';

/** Bytes that may wait for the edge before the worker is paused. */
const maxUnsentBytes = 128 * 1024;

/** @param elsewhere whom the channel is to be asked of now */
export function fromWorker(
  client: UpstreamClient,
  elsewhere: (channel: ChannelName) => Peer | undefined,
): RouteHandler {
  return {
    holds: () => false,
    handle: (exchange, { channel, path, query }, response) => {
      const { hop, edge } = exchange;
      const headers = { accept: '*/*', via: hop.via, 'x-request-id': hop.requestId, [edgeField]: '1' };
      const next = () => {
        const peer = elsewhere(channel);
        if (peer?.kind !== 'worker') throw new WeirError('not_owner');
        const { server } = peer;
        const send = (handler: UpstreamHandler) =>
          client.send({ server, path: path + query, method: 'GET', headers }, handler);
        return { server, pick: undefined, send };
      };
      let isOver = false;
      const running = attempt(
        { next, purpose: 'peer', retries: 1, onRetry: () => edge.metrics.retries.inc({ cause: 'worker_lost' }) },
        {
          onResponse: (status, { 'content-type': type = 'video/x-flv' }) => {
            exchange.started(status);
            response.writeHead(status, { 'content-type': type, via: hop.via });
            response.flushHeaders();
            response.socket?.setTimeout(0);
          },
          onData: (chunk) => {
            response.write(chunk);
            return response.writableLength < maxUnsentBytes;
          },
          onEnd: () => {
            isOver = true;
            if (edge.draining()) response.destroy();
            else response.end();
          },
          onError: (error) => {
            isOver = true;
            answerError(exchange, response, error);
          },
        },
      );
      response.on('drain', () => running.resume());
      response.on('close', () => {
        if (!isOver) running.abort();
      });
    },
  };
}
