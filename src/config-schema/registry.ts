// The section `registry`: where endpoints come from.

import { z } from 'zod';
import { parseConnectString, parseServiceAddress } from '../net-address.js';
import { compilePattern, overlap, type TreePattern } from '../tree-pattern.js';
import { formatNames } from './format-names.js';
import { duration, file, fraction, integer, secret } from './kinds.js';

const patternProblem = (path: string, channel?: string): string | undefined => {
  const compiled = compilePattern(path, channel);
  return typeof compiled === 'string' ? compiled : undefined;
};

const tree = z.union([
  z
    .string()
    .refine((path) => patternProblem(path) === undefined, { error: ({ input }) => patternProblem(String(input)) }),
  z
    .strictObject({
      path: z.string(),
      channel: z.string().optional(),
      formats: z.union([z.literal('auto'), z.array(z.enum(formatNames)).min(1)]).prefault('auto'),
    })
    .refine(({ path, channel }) => patternProblem(path, channel) === undefined, {
      error: ({ input }) => {
        const { path, channel } = input as { path: string; channel?: string };
        return patternProblem(path, channel);
      },
    }),
]);

/** Two trees that would read one node, as it is said to who wrote them. */
function overlapProblem(trees: readonly z.output<typeof tree>[]): string | undefined {
  const compiled = trees
    .map((each) => (typeof each === 'string' ? compilePattern(each) : compilePattern(each.path, each.channel)))
    .filter((each): each is TreePattern => typeof each !== 'string');
  for (const [i, one] of compiled.entries()) {
    const other = compiled.slice(i + 1).find((each) => overlap(one, each));
    if (other !== undefined) return `${one.text} and ${other.text} read the same nodes`;
  }
  return undefined;
}
const tls = z
  .strictObject({
    ca: file(
      'The authorities that are trusted, in PEM. Set, ZooKeeper is connected to by TLS, at its secureClientPort (Linux only).',
      '/etc/weir/zookeeper-ca.pem',
    ),
    cert: file('A client certificate in PEM, where the servers want one.', '/etc/weir/zookeeper.pem'),
    key: file('Its key in PEM.', '/etc/weir/zookeeper-key.pem'),
    serverName: z
      .string()
      .min(1)
      .optional()
      .meta({
        description: 'The name that the certificate of every server has to have; by default the host in `servers`.',
        examples: ['zookeeper.example.net'],
      }),
  })
  .refine(
    ({ ca, cert, key, serverName }) => ca !== undefined || (cert ?? key ?? serverName) === undefined,
    'expected ca beside it',
  )
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), 'expected cert and key together');

const zookeeper = z.strictObject({
  servers: z
    .string()
    .refine((text) => parseConnectString(text) !== undefined, 'expected HOST:PORT[,HOST:PORT…][/chroot]')
    .prefault('127.0.0.1:2181')
    .describe('The ensemble: HOST:PORT[,HOST:PORT…][/chroot].'),
  root: z
    .string()
    .regex(/^\/[^/\s]+(\/[^/\s]+)*$/, 'expected an absolute path without a slash at its end')
    .prefault('/channels')
    .describe(
      'The node whose children are the channels; where registry.zookeeper.trees has trees, these count instead.',
    ),
  trees: z
    .array(tree)
    .prefault([])
    .refine((trees) => overlapProblem(trees) === undefined, {
      error: ({ input }) => overlapProblem(input as readonly z.output<typeof tree>[]),
    })
    .meta({
      description:
        'Where channels and endpoints stand, as patterns; empty: ROOT/{channel}/{endpoint}. {channel} and {endpoint} stand for a name each, other variables for any. Without {endpoint} the node of the channel is the endpoint. A tree is its path, or a mapping of path, channel (the name of the only one, where the path has no {channel}) and formats (auto, or a list).',
      examples: [['/dubbo/{channel}/providers/{endpoint}', { path: '/go_servers/{endpoint}', channel: 'news' }]],
    }),
  sessionTimeout: duration(
    '8s',
    '100ms',
    '1h',
    'Session timeout asked for; the server floors it at twice its tickTime.',
  ),
  credentialsFile: file('A file with USER:PASSWORD for digest authentication.', '/etc/weir/zookeeper.credentials'),
  credentials: secret(
    'USER:PASSWORD for digest authentication; from the environment or the configuration file only.',
    'USER:PASSWORD',
    /^[^:\s]+:.+$/s,
  ),
  maxSessions: integer(
    32,
    1,
    1_000,
    'Sessions opened at most: one watches some 10,000 endpoints. The maxClientCnxns of ZooKeeper has to allow as many from one address.',
  ),
  tls: tls.prefault({}).describe('TLS to ZooKeeper.'),
  readDepth: integer(500, 1, 1000, 'Reads under way at once during a full read.'),
  reconcileInterval: duration(
    '5m',
    '0',
    '480h',
    'How often everything is read again, in case a watch was lost; 0: never, and not more often than once a second.',
  ),
  maxEndpoints: integer(100_000, 1, 10_000_000, 'Endpoints read at most, and channels; further ones are skipped.'),
});

const embedded = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'expected a URL such as http://10.0.0.5:8081' })
    .optional()
    .meta({
      description: 'Where `weir register` reaches the edge; by default admin.listen on this machine.',
      examples: ['http://10.0.0.5:8081'],
    }),
  tokenFile: file('A file with the bearer token that writes need.', '/etc/weir/registry.token'),
  token: secret(
    'The bearer token that writes need; from the environment or the configuration file only.',
    'a long random text',
  ),
  stateFile: file(
    'Where leases are kept over a restart of the edge; those that are in time by then count on.',
    '/var/lib/weir/leases.json',
  ),
  maxTtl: duration('5m', '1s', '480h', 'The longest lease granted.'),
  maxEndpoints: integer(100_000, 1, 10_000_000, 'Leases held at most; a further one is answered 507.'),
});

/** `news=http://10.0.0.1:8080` */
function isOrigin(text: string): boolean {
  const at = text.indexOf('=');
  const isName = /^(?!\.{1,2}$)[^/\\\p{C}\p{Zl}\p{Zp}]{1,255}$/u.test(text.slice(0, Math.max(0, at)));
  return isName && parseServiceAddress(text.slice(at + 1)) !== undefined;
}

const endpointsFile = z.strictObject({
  path: file(
    "YAML or JSON: `channels`, each with a list of endpoints in a znode's fields. Followed: it may be renamed into its place, a link, or written in place. Wrong or gone, it changes nothing.",
    '/etc/weir/channels.yaml',
  ),
  origins: z
    .array(z.string().refine(isOrigin, 'expected CHANNEL=ADDRESS, such as news=http://10.0.0.1:8080'))
    .prefault([])
    .describe('Endpoints beside those in the file: CHANNEL=ADDRESS, as `weir serve --origin` takes them.'),
});

const massDrop = z.strictObject({
  share: fraction(0.5, 'Share of all endpoints whose vanishing within the window counts as a mass drop.'),
  minimum: integer(
    4,
    1,
    1_000_000,
    'Fewer endpoints than this that are seen to vanish are never a mass drop. What is missing after an outage may be one.',
  ),
  window: duration('2s', '1ms', '1h', 'The window in which vanished endpoints are counted.'),
  keep: duration(
    '30s',
    '0',
    '24h',
    'How long endpoints of channels that have no other are kept as a last resort, counted while the registry is in reach; 0: not at all.',
  ),
});

/** The schema of the section `registry`. */
export const registry = z.strictObject({
  kind: z.enum(['zookeeper', 'embedded', 'file']).prefault('zookeeper').describe('Where endpoints are registered.'),
  zookeeper: zookeeper.prefault({}).describe('A ZooKeeper ensemble, for a fleet.'),
  embedded: embedded.prefault({}).describe('Leases in memory behind the admin API, for one machine and for trying.'),
  file: endpointsFile.prefault({}).describe('No server: endpoints in a file, or in the settings.'),
  maxEndpointsPerChannel: integer(
    1_000,
    1,
    100_000,
    'Endpoints of one channel at most; further ones are skipped, answered 507 by the embedded registry, or make a file wrong.',
  ),
  snapshotFile: file(
    'Where the last snapshot is kept, for a start without the registry.',
    '/var/lib/weir/snapshot.json',
  ),
  massDrop: massDrop.prefault({}).describe('What happens when most of the registry vanishes at once.'),
});
