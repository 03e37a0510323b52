// Every setting of weir with its default, unit, bounds and description. The configuration file, the environment, the
// flags, the JSON Schema for editors and the reference in the docs all derive from this one object.

import { z } from 'zod';
import { parseCidr, parseListenAddress } from './net-address.js';

const durationUnits = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const sizeUnits = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** A duration: a number of milliseconds, or a number with ms, s, m or h. The parsed value is in milliseconds. */
function duration(fallback: string, description: string) {
  return z
    .union(
      [
        z.number().nonnegative(),
        z.string().regex(/^\d+(\.\d+)?(ms|s|m|h)$/, 'expected a duration such as 500ms, 10s or 5m'),
      ],
      {
        error: 'expected a duration such as 500ms, 10s or 5m',
      },
    )
    .transform((value) => {
      if (typeof value === 'number') return value;
      const unit = value.replace(/^[\d.]+/, '') as keyof typeof durationUnits;
      return Number.parseFloat(value) * durationUnits[unit];
    })
    .prefault(fallback)
    .meta({ description, kind: 'duration' });
}

/** A size: a number of bytes, or a number with B, KiB, MiB or GiB. The parsed value is in bytes. */
function size(fallback: string, description: string) {
  return z
    .union([z.int().nonnegative(), z.string().regex(/^\d+(B|KiB|MiB|GiB)$/, 'expected a size such as 64KiB or 4MiB')], {
      error: 'expected a size such as 64KiB or 4MiB',
    })
    .transform((value) => {
      if (typeof value === 'number') return value;
      const unit = value.replace(/^\d+/, '') as keyof typeof sizeUnits;
      return Number.parseInt(value, 10) * sizeUnits[unit];
    })
    .prefault(fallback)
    .meta({ description, kind: 'size' });
}

const listenAddress = (fallback: string, description: string) =>
  z
    .string()
    .refine((value) => parseListenAddress(value) !== undefined, 'expected ADDRESS:PORT, :PORT or [IPv6]:PORT')
    .prefault(fallback)
    .describe(description);

const integer = (fallback: number, minimum: number, maximum: number, description: string) =>
  z.int().min(minimum).max(maximum).prefault(fallback).describe(description);

const fraction = (fallback: number, description: string) =>
  z.number().min(0).max(1).prefault(fallback).describe(description);

const flag = (fallback: boolean, description: string) => z.boolean().prefault(fallback).describe(description);

/** A value that never appears in a log, in `weir config` or in an argument list. */
const secret = (description: string, example: string, shape = /./) =>
  z
    .string()
    .regex(shape, `expected ${example}`)
    .optional()
    .meta({ description, secret: true, examples: [example] });

/** A path. With the name of a secret and `File` at its end, the file's content becomes the value of that secret. */
const file = (description: string, example: string) =>
  z
    .string()
    .min(1)
    .optional()
    .meta({ description, examples: [example] });

/**
 * What a change of a setting takes while the edge runs; of a section: of all settings in it that say nothing of their
 * own. `live`: nothing. `workers` (where nothing is said): new workers. `restart`: a new start of weir.
 */
function reload<T extends z.ZodType>(how: 'live' | 'restart', schema: T): T {
  return schema.meta({ reload: how });
}

const zookeeper = z.strictObject({
  servers: z
    .string()
    .regex(/^[^\s,/]+(,[^\s,/]+)*(\/[^\s]*)?$/, 'expected HOST:PORT[,HOST:PORT…][/chroot]')
    .prefault('127.0.0.1:2181')
    .describe('The ensemble: HOST:PORT[,HOST:PORT…][/chroot].'),
  root: z
    .string()
    .regex(/^\/[^/\s]+(\/[^/\s]+)*$/, 'expected an absolute path without a slash at its end')
    .prefault('/channels')
    .describe('The node whose children are the channels.'),
  sessionTimeout: duration('8s', 'Session timeout asked for; the server floors it at twice its tickTime.'),
  credentialsFile: file('A file with USER:PASSWORD for digest authentication.', '/etc/weir/zookeeper.credentials'),
  credentials: secret(
    'USER:PASSWORD for digest authentication; from the environment or the configuration file only.',
    'USER:PASSWORD',
    /^[^:\s]+:.+$/s,
  ),
  readDepth: integer(500, 1, 1000, 'Reads under way at once during a full read.'),
  reconcileInterval: duration('5m', 'How often everything is read again, in case a watch was lost.'),
});

const embedded = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'expected a URL such as http://10.0.0.5:8081' })
    .optional()
    .describe('Where `weir register` reaches the edge; by default admin.listen on this machine.'),
  tokenFile: file('A file with the bearer token that writes need.', '/etc/weir/registry.token'),
  token: secret(
    'The bearer token that writes need; from the environment or the configuration file only.',
    'a long random text',
  ),
  maxTtl: duration('5m', 'The longest lease granted.'),
  maxEndpoints: integer(100_000, 1, 10_000_000, 'Leases held at most; a further one is answered 507.'),
});

const massDrop = z.strictObject({
  share: fraction(0.5, 'Share of all endpoints whose vanishing within the window counts as a mass drop.'),
  minimum: integer(4, 1, 1_000_000, 'Fewer vanished endpoints than this are never a mass drop.'),
  window: duration('2s', 'The window in which vanished endpoints are counted.'),
  keep: duration('30s', 'How long the vanished endpoints are kept as a last resort.'),
});

const registry = z.strictObject({
  kind: z.enum(['zookeeper', 'embedded']).prefault('zookeeper').describe('Where endpoints are registered.'),
  zookeeper: zookeeper.prefault({}).describe('A ZooKeeper ensemble, for a fleet.'),
  embedded: embedded.prefault({}).describe('Leases in memory behind the admin API, for one machine and for trying.'),
  snapshotFile: file(
    'Where the last snapshot is kept, for a start without the registry.',
    '/var/lib/weir/snapshot.json',
  ),
  massDrop: massDrop.prefault({}).describe('What happens when most of the registry vanishes at once.'),
});

const outlier = z.strictObject({
  consecutiveFailures: integer(5, 1, 1000, 'Gateway failures in a row that eject an address.'),
  baseEjection: duration('30s', 'Length of the first ejection; the n-th lasts n times as long.'),
  maxEjection: duration('300s', 'The longest ejection.'),
  panicThreshold: fraction(0.5, 'With more than this share of a channel ejected, passive health is ignored.'),
});

const balancer = z.strictObject({
  policy: z
    .enum(['adaptive', 'lowest', 'p2c', 'round-robin', 'random', 'rendezvous'])
    .prefault('adaptive')
    .describe('The rule of a pick.'),
  lossWeight: z.number().min(0).max(1000).prefault(10).describe('How much load one unit of packet loss is worth.'),
  tieBand: fraction(0.02, 'Scores this close to the lowest count as equal.'),
  edges: integer(
    1,
    1,
    100_000,
    'Edges that pick from the same registry: how cautious `adaptive` is before it has learned. Workers are counted by themselves.',
  ),
  affinityMargin: z
    .number()
    .min(0)
    .max(1000)
    .prefault(0.1)
    .describe(
      "A channel's HLS stays on its endpoint while its score is within this of the best; 0 picks anew. Beyond it, of many channels or edges on an endpoint only so many leave after each report as are too many.",
    ),
  outlier: outlier.prefault({}).describe('Passive health: endpoints that fail are left out for a while.'),
});

const upstream = z.strictObject({
  allow: z
    .array(z.string().refine((value) => parseCidr(value) !== undefined, 'expected a network such as 10.0.0.0/8'))
    .prefault(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '127.0.0.0/8', '::1/128', 'fc00::/7'])
    .describe('Networks that endpoints may be in; an address outside is refused.'),
  retries: integer(2, 0, 10, 'Further endpoints tried before the first body byte.'),
  connectTimeout: duration('1s', 'Deadline for a connection.'),
  firstByteTimeout: duration('5s', 'Deadline from the request to the first body byte.'),
  idleTimeout: duration('30s', 'Longest silence within a body.'),
  keepAliveTimeout: duration('4s', 'How long an idle connection to an endpoint is kept.'),
  connections: integer(
    1024,
    1,
    65535,
    'Connections to one service address at most; further requests are answered 503.',
  ),
});

const relay = z
  .strictObject({
    enabled: flag(
      true,
      'One pull of a channel for all its HTTP-FLV and WebSocket-FLV viewers; false: a pull for each.',
    ),
    mergeWindow: duration('100ms', 'What comes within it leaves in one write per viewer; 0 sends at once.'),
    stallTimeout: duration('3s', 'An endpoint that sends no media for so long is left.'),
    keyframeTimeout: duration('10s', 'An endpoint that sends video without a keyframe for so long is left.'),
    grace: duration('10s', 'How long viewers are held while no endpoint delivers.'),
    linger: duration('10s', 'How long a pull goes on after its last viewer.'),
    slowTimeout: duration('15s', 'A viewer that needs longer to empty its buffer is closed.'),
    maxViewers: integer(1_000_000, 1, 1_000_000, 'Viewers of one stream at most; a further one is answered 503.'),
    maxRelays: integer(10_000, 1, 1_000_000, 'Streams at most; the first viewer of a further one is answered 503.'),
    maxTagSize: size('8MiB', 'Size of one FLV tag at most; an endpoint that sends a larger one is left.'),
    viewerBuffer: z
      .strictObject({
        size: size('8MiB', 'What is held for one viewer at most; beyond it the viewer skips to a keyframe.'),
        duration: duration('5s', 'The same as media, at the measured bitrate, on top of one group of pictures.'),
      })
      .prefault({})
      .describe('What is held for a viewer who reads slowly.'),
    gopCache: z
      .strictObject({
        size: size('8MiB', 'A group of pictures larger than this is not kept: viewers then wait for a keyframe.'),
        frames: integer(3_000, 1, 100_000, 'Audio and video frames kept at most.'),
      })
      .prefault({})
      .describe('What a viewer who joins gets at once: the stream since its last keyframe.'),
  })
  .refine((settings) => settings.gopCache.size <= settings.viewerBuffer.size, {
    path: ['gopCache', 'size'],
    error: 'expected at most relay.viewerBuffer.size, since a joining viewer is given all of it',
  });

const hls = z.strictObject({
  mode: z
    .enum(['session', 'passthrough'])
    .prefault('session')
    .describe(
      'session: one coherent presentation a channel, each object fetched once. passthrough: a request is a pick.',
    ),
  cacheSize: size('256MiB', 'Memory for segments, initialisation sections and keys; the least recently used leave.'),
  maxObject: size('16MiB', 'An object larger than this is passed through instead of kept.'),
  prefetch: flag(true, 'Fetch new segments before players hear of them, so that what is listed is there.'),
  playlistShare: fraction(0.5, 'How long a media playlist is used, as a share of its target duration.'),
  playlistMaxAge: duration('2s', 'How long a media playlist is used at most.'),
  masterMaxAge: duration('5s', 'How long a master playlist is used at most.'),
  respectCacheControl: flag(
    true,
    'Whether Cache-Control of a playlist may shorten that. With no-store or no-cache, every request asks the endpoint.',
  ),
  errorMaxAge: duration('1s', 'How long the error for an object is answered again without asking.'),
  staleIfError: duration(
    '10s',
    'How long a stored object may stand in for an endpoint that fails, unless it says less.',
  ),
  grace: duration('10s', 'How long the last playlist is served, or a request held, while no endpoint answers.'),
  stallFactor: z
    .number()
    .min(1)
    .max(100)
    .prefault(1.5)
    .describe('Target durations without a new segment after which an endpoint counts as stalled.'),
  switchInterval: duration(
    '30s',
    'A switch for a better score happens at most this often; a failed endpoint is left at once.',
  ),
  avoidFailed: duration(
    '30s',
    'How long a session keeps away from an endpoint that failed it, while there is another.',
  ),
  sessionIdle: duration('5m', 'How long a session is kept after its last request.'),
  maxSessions: integer(
    10_000,
    1,
    1_000_000,
    'Sessions at most: one a channel, and one for each query of players besides.',
  ),
  unkeyedParameters: z
    .array(z.string())
    .prefault([])
    .describe(
      'Query parameters of players that do not set apart what is fetched for them: the first one to ask asks for all.',
    ),
  sessionParameters: z
    .array(z.string())
    .prefault(['hls_ctx', 'session'])
    .describe("Query parameters that are an origin's own session: the edge keeps them to itself."),
  pinSecretFile: file('A file with the secret that signs the pins in URLs.', '/etc/weir/pin.secret'),
  pinSecret: secret(
    'Signs the pins in URLs; one value for all edges of a fleet. Without it, /etc/machine-id serves.',
    'a long random text',
  ),
});

const http = z.strictObject({
  headersTimeout: duration('10s', 'Deadline for the header of a request.'),
  keepAliveTimeout: duration('65s', "How long a player's idle connection is kept."),
  maxHeaderSize: size('16KiB', 'Size of a request header at most.'),
  maxUrlLength: reload('live', integer(4096, 64, 65536, 'Length of a request target at most, in bytes.')),
  maxConnections: reload(
    'live',
    integer(15_000, 1, 1_000_000, "Players' connections to one worker at most; a further one is closed at once."),
  ),
  trustForwarded: flag(
    false,
    'Whether X-Forwarded-* and X-Request-Id of a request are believed: set it behind a proxy of your own.',
  ),
  cors: z
    .array(z.string())
    .prefault(['*'])
    .describe('Origins whose pages may play: `*`, or a list such as https://tv.example; empty sends no CORS headers.'),
});

const shutdown = z.strictObject({
  grace: duration('10s', 'How long players may finish after SIGTERM, or when their worker is replaced.'),
});

const cluster = z.strictObject({
  stuckAfter: duration('5s', 'A worker whose event loop stands still for longer is killed, and another one started.'),
  memoryLimit: z
    .union([z.literal('auto'), size('0B', '')], { error: "expected 'auto' or a size such as 2GiB" })
    .prefault('auto')
    .describe(
      'A worker with more resident memory is drained and replaced. auto: 80 % of the memory of the machine (or its control group) divided by the workers.',
    ),
});

const log = z.strictObject({
  level: reload(
    'live',
    z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .prefault('info')
      .describe('The least severe level that is written.'),
  ),
  requests: reload('live', flag(true, 'One line a request at info.')),
  format: reload(
    'restart',
    z.enum(['auto', 'json', 'pretty']).prefault('auto').describe('auto: pretty on a terminal, JSON elsewhere.'),
  ),
});

export const configSchema = z.strictObject({
  listen: listenAddress(':8080', 'The data listener, for players.'),
  workers: reload(
    'live',
    z
      .union([z.literal('auto'), z.int().min(0).max(256)], { error: "expected 'auto' or an integer from 0 to 256" })
      .prefault('auto')
      .describe('Processes that serve players. auto: one a core. 0: all in one process, without a supervisor.'),
  ),
  admin: reload(
    'restart',
    z
      .strictObject({
        listen: listenAddress('127.0.0.1:8081', 'The admin listener: metrics, health, API. Keep it private.'),
      })
      .prefault({})
      .describe('What operators see.'),
  ),
  registry: reload('restart', registry.prefault({}).describe('Where endpoints come from.')),
  balancer: reload('live', balancer.prefault({}).describe('Which endpoint a request goes to.')),
  upstream: upstream.prefault({}).describe('The way to the endpoints.'),
  relay: relay.prefault({}).describe('Live FLV streams that viewers share.'),
  hls: hls.prefault({}).describe('How HLS is served.'),
  http: http.prefault({}).describe('The way to the players.'),
  cluster: reload('live', cluster.prefault({}).describe('How the workers are watched.')),
  shutdown: reload('live', shutdown.prefault({}).describe('How an edge ends.')),
  log: log.prefault({}).describe('What is written to standard error.'),
});

/** The effective settings: durations in milliseconds, sizes in bytes. */
export type Config = z.output<typeof configSchema>;
/** What a user may write. */
export type ConfigInput = z.input<typeof configSchema>;
