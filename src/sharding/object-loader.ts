// Takes an HLS object from the worker that owns its channel. When that worker dies on the way, the next owner has the same
// object: the bytes received stay, and the rest comes from there.

import { WeirError } from '../errors.js';
import type { Load } from '../hls/index.js';
import type { ServerOrigin } from '../model.js';
import { attempt } from '../upstream/attempts.js';
import type { UpstreamClient } from '../upstream/client.js';

export interface PeerRequest {
  /** The worker that owns the channel at the moment of the call; undefined while there is none. */
  readonly owner: () => ServerOrigin | undefined;
  /** Path and query, as the player asked. */
  readonly path: string;
  readonly headers: Record<string, string>;
  /** For the first byte; the owner waits for endpoints itself. */
  readonly firstByteTimeoutMs: number;
  /** After which no other owner is looked for. */
  readonly patienceMs: number;
  /** Another worker is asked, since the one before is gone. */
  readonly onRetry: () => void;
}

/** ms until the next owner is known. */
const retryIntervalMs = 50;

/**
 * A load that asks the owner of a channel. It goes on with the next owner when one is lost, for `patienceMs` at most.
 */
export function createPeerLoad(client: UpstreamClient, request: PeerRequest): Load {
  const { owner, path, firstByteTimeoutMs, onRetry } = request;
  return (conditions, handler) => {
    const headers = { ...request.headers, ...conditions };
    const next = () => {
      const server = owner();
      if (server === undefined) throw new WeirError('worker_lost');
      const send = (inner: typeof handler) =>
        client.send({ server, path, method: 'GET', headers, firstByteTimeoutMs }, inner);
      return { server, pick: undefined, send };
    };
    const retries = { intervalMs: retryIntervalMs, limitMs: request.patienceMs };
    return attempt({ next, purpose: 'peer', retries, onRetry }, handler);
  };
}
