// Pure: a player's request as the fields of its log line. No query and no header with credentials: tokens are there.

import type { ServerOrigin } from '../model.js';
import { isPeer } from '../net-address.js';

/** Characters of a path and of a player's name for itself at most: both are the player's choice. */
const longestPath = 256;
const longestAgent = 128;

export interface AccessRecord {
  readonly id: string;
  readonly method: string | undefined;
  /** The request target as it came. */
  readonly target: string | undefined;
  readonly protocol: string;
  readonly channel: string | undefined;
  /** A service address, or another worker of this edge. */
  readonly endpoint: string | undefined;
  readonly status: number;
  /** Of the error, if there was one. */
  readonly code: string | undefined;
  /** What it was in words, where it was not the player's mistake. */
  readonly detail: string | undefined;
  readonly bytes: number;
  /** Seconds. */
  readonly firstByte: number | undefined;
  readonly duration: number;
  readonly remote: string;
  readonly agent: string | undefined;
}

export function accessFields({ target = '', endpoint, firstByte, duration, remote, agent, ...record }: AccessRecord) {
  return {
    ...record,
    path: printable(pathOf(target), longestPath),
    ...served(endpoint),
    firstByte: firstByte === undefined ? undefined : microseconds(firstByte),
    duration: microseconds(duration),
    remote: printable(remote, longestAgent),
    agent: agent === undefined ? undefined : printable(agent, longestAgent),
  };
}

/** Without scheme, authority (which may hold a password) and query. */
function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  const path = end < 0 ? target : target.slice(0, end);
  return path.replace(/^[a-z]+:\/\/[^/]*/i, '');
}

/** A worker that took the stream from another one says which: where that one has it from may change meanwhile. */
function served(endpoint: string | undefined) {
  if (endpoint === undefined || !isPeer(endpoint as ServerOrigin)) return { endpoint };
  return { via: endpoint.replace(/^http:\/\/~/, '').replace(/:\d+$/, '') };
}

/** What could move a terminal's cursor is a question mark. */
function printable(text: string, longest: number): string {
  const safe = text.slice(0, longest).replace(/[^\x20-\x7e]/g, '?');
  return text.length > longest ? `${safe}…` : safe;
}

const microseconds = (seconds: number) => Math.round(seconds * 1e6) / 1e6;
