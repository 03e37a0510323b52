// The other side of the registry: keeps an origin's endpoint registered, whatever happens to the registry.

import type { Config } from '../config-schema.js';
import type { Logger } from '../log.js';
import { parseServiceAddress } from '../net-address.js';
import { registryLogger } from '../registry/create.js';
import { parseChannelName } from '../registry/names.js';
import { edgeUrl } from './edge-url.js';
import { registerOverHttp } from './http.js';
import { type EndpointInfo, mergeValues, type Registration } from './registration.js';
import { registerInZooKeeper } from './zookeeper.js';

export type { EndpointInfo, Registration, ReportedValues } from './registration.js';

export interface RegisterOptions {
  /** Gives up waiting for the first registration. */
  readonly signal?: AbortSignal;
  /** Of the sequential name in ZooKeeper; default `endpoint-`. */
  readonly prefix?: string;
  /** Of a lease in the embedded registry, in milliseconds; default 10 s. */
  readonly ttl?: number;
}

/**
 * Registers an endpoint of `channel` and resolves when it stands in the registry; from then on losing the registry is
 * healed, not told. While the registry is out of reach it goes on trying.
 *
 * @throws Error for what no retry heals: a bad channel, address or value, refused credentials, a missing client
 */
export async function registerEndpoint(
  config: Config,
  channel: string,
  info: EndpointInfo,
  logger: Logger,
  options: RegisterOptions = {},
): Promise<Registration> {
  const { signal, prefix = 'endpoint-', ttl = 10_000 } = options;
  const channelName = parseChannelName(channel);
  if (channelName === undefined) throw new Error(`channel: "${channel}" is not one path segment of 1 to 255 bytes`);
  const address = parseServiceAddress(info.address);
  if (address === undefined) throw new Error(`address: "${info.address}" is neither host:port nor an http(s) URL`);
  const values = mergeValues({}, { load: info.load, bitrate: info.bitrate, packetLoss: info.packetLoss });
  const endpoint = { channel: channelName, address, values };
  const { kind, zookeeper, embedded } = config.registry;
  if (kind === 'zookeeper') {
    const { servers, root, sessionTimeout, credentials } = zookeeper;
    const settings = { servers, root, sessionTimeout, credentials, prefix };
    return await registerInZooKeeper(settings, endpoint, registryLogger(logger), signal);
  }
  return await registerOverHttp(
    { url: edgeUrl(config), token: embedded.token, ttl },
    endpoint,
    registryLogger(logger),
    signal,
  );
}
