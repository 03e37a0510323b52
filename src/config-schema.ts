// Every setting of weir with its default, unit, bounds and description. The configuration file, the environment, the
// flags, the JSON Schema for editors and the reference in the docs all derive from this one object. The large sections
// are files in config-schema/.

import { z } from 'zod';
import { access } from './config-schema/access.js';
import { balancer } from './config-schema/balancer.js';
import { fleet } from './config-schema/fleet.js';
import { hls } from './config-schema/hls.js';
import { http } from './config-schema/http.js';
import { duration, flag, listenAddress, local, reload, size } from './config-schema/kinds.js';
import { registry } from './config-schema/registry.js';
import { relay } from './config-schema/relay.js';
import { upstream } from './config-schema/upstream.js';
import { isSameListener } from './net-address.js';

const cluster = z.strictObject({
  stuckAfter: duration(
    '5s',
    '1s',
    '1h',
    'A worker whose event loop stands still for longer is killed, and another one started.',
  ),
  memoryLimit: z
    .union([z.literal('auto'), size('2GiB', '1MiB', '1024GiB', '')], {
      error: "expected 'auto' or a size such as 2GiB",
    })
    .prefault('auto')
    .describe(
      'A worker with more resident memory is drained and replaced, at most one every ten minutes in the end. auto: 80 % of the memory of the machine (or its control group) divided by the workers. Of hls.cacheSize, hls.sessionMemory and relay.viewerBuffer.total what fits into it is used.',
    ),
});

const shutdown = z.strictObject({
  delay: duration(
    '0s',
    '0',
    '1h',
    'How long new players are still accepted after SIGTERM, while /readyz answers 503 already: as long as a load balancer or Kubernetes takes to send them elsewhere.',
  ),
  grace: duration('10s', '0', '24h', 'How long players may finish after that, or when their worker is replaced.'),
});

const log = z.strictObject({
  level: reload(
    'live',
    z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .prefault('info')
      .describe('The least severe level that is written.'),
  ),
  requests: reload(
    'live',
    flag(
      false,
      'One line a request at info: method, path without its query, channel, endpoint, status, bytes, times, player.',
    ),
  ),
  format: reload(
    'restart',
    z.enum(['auto', 'json', 'pretty']).prefault('auto').describe('auto: pretty on a terminal, JSON elsewhere.'),
  ),
});

const all = z.strictObject({
  listen: local(listenAddress(':8080', 'The data listener, for players.')),
  workers: reload(
    'live',
    z
      .union([z.literal('auto'), z.int().min(0).max(256)], { error: "expected 'auto' or an integer from 0 to 256" })
      .prefault('auto')
      .describe(
        'Processes that serve players. auto: one for each core, or for each that the control group grants. 0: all in one process, without a supervisor.',
      ),
  ),
  admin: reload(
    'restart',
    z
      .strictObject({
        listen: listenAddress('127.0.0.1:8081', 'The admin listener: metrics, health, API. Keep it private.'),
        hosts: z
          .array(
            z
              .string()
              .regex(/^\.?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){0,30}$/i, 'expected a name such as edge.example.com'),
          )
          .prefault([])
          .describe(
            'Names by which the API may be asked, `.example.com` for all below. Addresses, the name of the machine, names without a dot and those under .localhost, .internal, .svc and .cluster.local need no entry, nor do /healthz, /readyz and /metrics. Against web pages that read it by DNS rebinding.',
          ),
      })
      .prefault({})
      .describe('What operators see.'),
  ),
  registry: reload('restart', registry.prefault({}).describe('Where endpoints come from.')),
  balancer: reload('live', balancer.prefault({}).describe('Which endpoint a request goes to.')),
  upstream: upstream.prefault({}).describe('The way to the endpoints.'),
  relay: relay.prefault({}).describe('Live FLV streams that viewers share.'),
  hls: hls.prefault({}).describe('How HLS is served.'),
  access,
  http: http.prefault({}).describe('The way to the players.'),
  fleet,
  cluster: reload('live', cluster.prefault({}).describe('How the workers are watched.')),
  shutdown: reload('live', shutdown.prefault({}).describe('How an edge ends.')),
  log: log.prefault({}).describe('What is written to standard error.'),
});

/** The schema of all settings. Durations are parsed to milliseconds, sizes to bytes. */
export const configSchema = all
  .refine(({ listen, admin }) => !isSameListener(listen, admin.listen), {
    path: ['admin', 'listen'],
    error: 'expected another address or port than listen has',
  })
  .refine(({ access: { keys }, hls: { mode } }) => keys === undefined || mode === 'session', {
    path: ['hls', 'mode'],
    error: 'expected session where access.keys is set: a playlist that is passed through cannot carry the signature on',
  })
  .refine(({ registry: { kind, file } }) => kind !== 'file' || file.path !== undefined || file.origins.length > 0, {
    path: ['registry', 'file', 'path'],
    error: 'expected a file, or registry.file.origins, where registry.kind is file',
  })
  .refine(({ registry: { kind }, fleet: { enabled } }) => kind === 'zookeeper' || enabled !== true, {
    path: ['fleet', 'enabled'],
    error: 'expected registry.kind zookeeper, where edges meet',
  })
  .refine(({ fleet: { hub, secret } }) => !hub || secret !== undefined, {
    path: ['fleet', 'secret'],
    error: 'expected the secret of the fleet where fleet.hub is set',
  })
  .refine(({ fleet: { name, peers } }) => peers.length === 0 || name !== undefined, {
    path: ['fleet', 'name'],
    error: 'expected the name of this edge where fleet.peers names the others',
  });

/** The effective settings: durations in milliseconds, sizes in bytes. */
export type Config = z.output<typeof configSchema>;
/** What a user may write. */
export type ConfigInput = z.input<typeof configSchema>;
