// The section `hls`: how HLS is served.

import { z } from 'zod';
import { duration, file, flag, fraction, integer, secret, size } from './kinds.js';

/** The schema of the section `hls`. */
export const hls = z.strictObject({
  mode: z
    .enum(['session', 'passthrough'])
    .prefault('session')
    .describe(
      'session: one coherent presentation a channel, each object fetched once. passthrough: a request is a pick.',
    ),
  cacheSize: size(
    '256MiB',
    '1MiB',
    '1024GiB',
    'Memory of each worker for segments, initialisation sections and keys; the least recently used leave.',
  ),
  maxObject: size('16MiB', '1B', '1GiB', 'An object larger than this is passed through instead of kept.'),
  prefetch: flag(true, 'Fetch new segments before players hear of them, so that what is listed is there.'),
  playlistShare: fraction(0.5, 'How long a media playlist is used, as a share of its target duration.'),
  playlistMaxAge: duration(
    '2s',
    '0',
    '1h',
    'How long a media playlist is used at most; 0: every request asks the endpoint.',
  ),
  playlistMinAge: duration(
    '500ms',
    '0',
    '1h',
    'How long a playlist is used at least, whatever its Cache-Control says, as far as the other settings allow.',
  ),
  masterMaxAge: duration(
    '5s',
    '0',
    '1h',
    'How long a master playlist is used at most; 0: every request asks the endpoint.',
  ),
  respectCacheControl: flag(true, 'Whether Cache-Control of a playlist may shorten that, down to playlistMinAge.'),
  objectMinAge: duration(
    '1s',
    '0',
    '24h',
    'How long an object that no playlist lists is used at least, whatever its Cache-Control says, unless that is no-store or private. What is listed is used for as long as it is.',
  ),
  objectMaxAge: duration(
    '1m',
    '0',
    '24h',
    'How long an object that no playlist lists, or lists any more, is used at most without a question back.',
  ),
  errorMaxAge: duration('1s', '0', '1h', 'How long the error for an object is answered again without asking.'),
  staleIfError: duration(
    '10s',
    '0',
    '24h',
    'How long a stored object may stand in for an endpoint that fails, unless it says less.',
  ),
  grace: duration(
    '10s',
    '0',
    '1h',
    'How long the last playlist is served, or a request held, while no endpoint answers.',
  ),
  stallFactor: z
    .number()
    .min(1)
    .max(100)
    .prefault(1.5)
    .describe('Target durations without a new segment after which an endpoint counts as stalled.'),
  switchInterval: duration(
    '30s',
    '0',
    '24h',
    'A switch for a better score happens at most this often; a failed endpoint is left at once.',
  ),
  avoidFailed: duration(
    '30s',
    '0',
    '24h',
    'How long a session keeps away from an endpoint that failed it, while there is another.',
  ),
  sessionIdle: duration('5m', '100ms', '24h', 'How long a session is kept after its last request.'),
  maxSessions: integer(
    10_000,
    1,
    1_000_000,
    'Sessions of each worker at most: one a channel, and one for each query of players besides. Who comes when all are in use gets 503.',
  ),
  sessionMemory: size(
    '256MiB',
    '1MiB',
    '1024GiB',
    'Memory of each worker for the playlists of sessions; the least recently used leave.',
  ),
  unkeyedParameters: z
    .array(z.string())
    .prefault([])
    .describe("Query parameters left out of the cache key; the fetch uses the first player's values."),
  keyedParameters: z
    .union([z.literal('all'), z.array(z.string()).max(100)], { error: "expected 'all' or a list of names" })
    .prefault('all')
    .describe(
      'Query parameters of players that count: players share everything unless they differ in one of these, and only these reach origins. Others go on into the URIs that the player gets, and nowhere else. all: each counts.',
    ),
  sessionParameters: z
    .array(z.string())
    .prefault(['hls_ctx', 'session'])
    .describe("Query parameters that are an origin's own session: the edge keeps them to itself."),
  pinSecretFile: file('A file with the secret that signs the pins in URLs.', '/etc/weir/pin.secret'),
  pinSecret: secret(
    'Signs the pins in URLs; one value for all edges of a fleet. Without it, /etc/machine-id serves; a container has none.',
    'a long random text',
  ),
});
