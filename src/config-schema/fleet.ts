// The section `fleet`: how edges know each other, by way of ZooKeeper.

import { z } from 'zod';
import { parseServiceAddress } from '../net-address.js';
import { duration, file, flag, listenAddress, reload, secret } from './kinds.js';

/** One name in a path of ZooKeeper. */
const nodeName = z
  .string()
  .max(255)
  .regex(/^(?!\.{1,2}$)[A-Za-z0-9._:-]+$/, 'expected a name of letters, digits, `.`, `_`, `:` and `-`');

/** An edge of the site, by hand: its name, and where it lets other edges in. */
export function parsePeer(text: string): { readonly name: string; readonly address: string } | undefined {
  const at = text.indexOf('@');
  const [name, address] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  if (!nodeName.safeParse(name).success || address.includes('/')) return undefined;
  return parseServiceAddress(address) === undefined ? undefined : { name, address };
}

const section = z.strictObject({
  enabled: z
    .union([z.literal('auto'), z.boolean()], { error: "expected 'auto', true or false" })
    .prefault('auto')
    .describe('Whether edges know each other. auto: where registry.kind is zookeeper, which they meet in.'),
  name: nodeName.optional().meta({
    description:
      'The name of this edge, another one for each of a site; by default the name of the machine and the port of `listen`.',
    examples: ['edge-1.example.com:8080'],
  }),
  site: nodeName.prefault('default').describe('Edges of one site are near each other, as in one data centre.'),
  root: z
    .string()
    .max(255)
    .regex(/^(\/(?!\.{1,2}(\/|$))[^/\s\p{C}]+)+$/u, 'expected an absolute path without a slash at its end')
    .prefault('/weir')
    .describe('The node below which the edges keep what they share. All edges of a fleet have the same.'),
  health: z
    .strictObject({
      mode: z
        .enum(['off', 'auto'])
        .prefault('off')
        .describe(
          'auto: the leader of the site asks a registered endpoint of each server now and then whether its media are well, and all edges of the site count what it finds beside what they see themselves. Without a leader nobody asks.',
        ),
      interval: duration('10s', '1s', '10m', 'From the beginning of one round of these checks to that of the next.'),
    })
    .prefault({})
    .describe('Health checks of origins.'),
  hub: flag(
    false,
    'Whether the edges of a site take FLV streams from the one of them that owns the channel, so that the site pulls it once. All edges of the site need the same secret.',
  ),
  peerListen: listenAddress(
    ':8082',
    'Where other edges of the site come in, with hub. Whoever does not prove that it knows the secret gets nothing.',
  ),
  peers: z
    .array(
      z
        .string()
        .refine((text) => parsePeer(text) !== undefined, 'expected NAME@HOST:PORT, such as edge-2@10.0.0.2:8082'),
    )
    .max(1_000)
    .prefault([])
    .meta({
      description:
        'The edges of the site that share streams, as `NAME@HOST:PORT`: the fleet.name and fleet.peerListen of each. The same list on all of them; this edge may be in it. Empty: those that meet in ZooKeeper.',
      examples: [['edge-1@10.0.0.1:8082', 'edge-2@10.0.0.2:8082']],
    }),
  secretFile: file('A file with the secret of the fleet.', '/etc/weir/fleet.secret'),
  secret: secret(
    'The secret that edges prove to each other that they know: the same for all of a fleet, 32 characters or more. It never crosses the network.',
    '32 random characters or more, such as of `openssl rand -base64 32`',
    /^\S{32,512}$/,
  ),
  configFile: file(
    'Where the last settings from the fleet that could be used are kept, for a start without ZooKeeper; by default nowhere.',
    '/var/lib/weir/fleet-config.json',
  ),
  plan: z
    .boolean()
    .prefault(true)
    .describe(
      'Whether all edges of a fleet show the same HLS: one numbering and one endpoint for each channel. false: each edge by itself.',
    ),
});

/** The schema of the section `fleet`. */
export const fleet = reload('restart', section.prefault({}).describe('How edges know each other.'));
