// What the agent needs to know of a kind of media server: one file for each kind in servers/.

import type { Ask } from './request.js';
import type { Hook, Reading } from './stream.js';

/** A request of a server to the listener of hooks. */
export interface HookCall {
  /** The last segment of the path. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

/** One server of a kind. It may remember earlier answers. */
export interface MediaServer {
  /**
   * Asks for all streams.
   *
   * @throws Error when the server does not answer, BadAnswer when it answers something else
   */
  read(ask: Ask): Promise<Reading>;
  /** What a call says about a stream; undefined where it says nothing. Never throws. */
  heard(call: HookCall): Hook | undefined;
}

export interface Credentials {
  readonly user: string | undefined;
  /** A password, a token or a secret, as this kind of server takes it. */
  readonly secret: string | undefined;
}

export interface ServerKind {
  /** Default URL of its API. */
  readonly api: string;
  /** Default template of its streams' addresses. */
  readonly address: string;
  /** @param now monotonic ms */
  create(credentials: Credentials, now: () => number): MediaServer;
}

/** `Authorization` by user and password, or by a token (RFC 7617, RFC 6750). */
export function authorization({ user, secret }: Credentials): Readonly<Record<string, string>> {
  if (secret === undefined) return {};
  if (user === undefined) return { authorization: `Bearer ${secret}` };
  return { authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` };
}
