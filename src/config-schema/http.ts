// The section `http`: the way to the players.

import { z } from 'zod';
import { duration, flag, integer, reload, size } from './kinds.js';

/** The schema of the section `http`. */
export const http = z.strictObject({
  headersTimeout: duration('10s', '10ms', '1h', 'Deadline for the header of a request.'),
  keepAliveTimeout: duration('65s', '10ms', '24h', "How long a player's idle connection is kept."),
  sendTimeout: duration(
    '60s',
    '10ms',
    '24h',
    'A player who takes none of the bytes that wait for it for this long is closed.',
  ),
  maxHeaderSize: size('16KiB', '256B', '16MiB', 'Size of a request header at most.'),
  maxUrlLength: reload('live', integer(4096, 64, 65536, 'Length of a request target at most, in bytes.')),
  maxConnections: reload(
    'live',
    integer(15_000, 1, 1_000_000, "Players' connections to one worker at most; a further one is closed at once."),
  ),
  trustForwarded: flag(
    false,
    'Whether X-Forwarded-*, Forwarded, X-Real-IP and X-Request-Id of a request are believed: set it behind a proxy of your own. The log then names the player by the last address in X-Forwarded-For.',
  ),
  cors: z
    .array(z.string())
    .prefault(['*'])
    .describe(
      'Origins whose pages may play, over WebSocket too: `*`, or a list such as https://tv.example; empty sends no CORS headers. Pages of the same host need no entry.',
    ),
});
