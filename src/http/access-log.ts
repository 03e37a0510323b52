// Pure: a player's request as the fields of its log line. Without query and credentials: they may hold tokens.

import type { ServerOrigin } from '../model.js';
import { isPeer, peerName } from '../net-address.js';

/** The player chooses its path and its user agent. */
const maxPathChars = 256;
const maxAgentChars = 128;
const maxViewerChars = 128;

export interface AccessRecord {
  readonly id: string;
  readonly method: string | undefined;
  /** The request target as it came. */
  readonly target: string | undefined;
  readonly protocol: string;
  readonly channel: string | undefined;
  /** Whom a signed URL was given to. */
  readonly viewer: string | undefined;
  /** A service address, or a peer. */
  readonly endpoint: string | undefined;
  readonly status: number;
  /** Of the error, if there was one. */
  readonly code: string | undefined;
  /** What it was in words, where it was not the player's mistake. */
  readonly detail: string | undefined;
  readonly bytes: number;
  /** Seconds. */
  readonly firstByteSeconds: number | undefined;
  readonly durationSeconds: number;
  readonly remote: string;
  readonly agent: string | undefined;
}

/**
 * The fields of the log line: times in seconds rounded to microseconds, text without control characters and bounded.
 */
export function accessFields({
  target = '',
  endpoint,
  firstByteSeconds: firstByte,
  durationSeconds: duration,
  remote,
  agent,
  viewer,
  ...record
}: AccessRecord) {
  return {
    ...record,
    viewer: viewer === undefined ? undefined : printable(viewer, maxViewerChars),
    path: printable(pathOf(target), maxPathChars),
    ...served(endpoint),
    firstByte: firstByte === undefined ? undefined : microseconds(firstByte),
    duration: microseconds(duration),
    remote: printable(remote, maxAgentChars),
    agent: agent === undefined ? undefined : printable(agent, maxAgentChars),
  };
}

/** Without scheme, authority (which may hold a password) and query. */
function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  const path = end < 0 ? target : target.slice(0, end);
  return path.replace(/^[a-z]+:\/\/[^/]*/i, '');
}

/** A stream that is taken from a peer names that one: its endpoint may change meanwhile. */
function served(endpoint: string | undefined) {
  if (endpoint === undefined || !isPeer(endpoint as ServerOrigin)) return { endpoint };
  return { via: peerName(endpoint as ServerOrigin) };
}

/** Characters that could move a terminal's cursor become question marks. */
function printable(text: string, maxChars: number): string {
  const safe = text.slice(0, maxChars).replace(/[^\x20-\x7e]/g, '?');
  return text.length > maxChars ? `${safe}…` : safe;
}

const microseconds = (seconds: number) => Math.round(seconds * 1e6) / 1e6;
