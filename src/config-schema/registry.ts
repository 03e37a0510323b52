// The section `registry`: where endpoints come from.

import { z } from 'zod';
import { parseConnectString, parseServiceAddress } from '../net-address.js';
import { duration, file, fraction, integer, secret } from './kinds.js';

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
    .describe('The node whose children are the channels.'),
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
