// What the agent knows of a kind of media server: one file for each in servers/.

import type { Ask } from './request.js';
import type { Hook, Reading } from './stream.js';

/** What a server sent to the listener of hooks. */
export interface HookCall {
  /** The last segment of the path. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

/** One server of a kind. It may remember what it was answered before. */
export interface MediaServer {
  /**
   * Asks for all streams.
   *
   * @throws Error when the server does not answer, BadAnswer when it answers something else
   */
  read(ask: Ask): Promise<Reading>;
  /** What a call says about a stream; undefined: nothing. Never throws. */
  heard(call: HookCall): Hook | undefined;
}

export interface Credentials {
  readonly user: string | undefined;
  /** A password, a token or a secret, whatever the kind of server takes. */
  readonly secret: string | undefined;
}

export interface ServerKind {
  /** Where its API is, unless told. */
  readonly api: string;
  /** Template of its streams' addresses, unless told. */
  readonly address: string;
  /** Monotonic ms are handed in. */
  create(credentials: Credentials, now: () => number): MediaServer;
}

/** `Authorization` by user and password, or by a token (RFC 7617, RFC 6750). */
export function authorization({ user, secret }: Credentials): Readonly<Record<string, string>> {
  if (secret === undefined) return {};
  if (user === undefined) return { authorization: `Bearer ${secret}` };
  return { authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` };
}
