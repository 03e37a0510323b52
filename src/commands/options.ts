// Flags that several commands share, and what they mean as settings.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { settings } from '../config/settings.js';
import { ConfigError, type ConfigRequest, type Override } from '../config.js';
import type { Config, ConfigInput } from '../config-schema.js';
import { parseServiceAddress } from '../net-address.js';
import { listenerUrl } from '../registrar/edge-url.js';
import { maxBitrateKbps } from '../registry/formats/values.js';
import { parseChannelName } from '../registry/names.js';

export interface CommonFlags {
  readonly config?: string;
  readonly set?: readonly string[];
  readonly zookeeper?: string;
  readonly registry?: 'zookeeper' | 'embedded' | 'file';
}

/** The setting that a flag stands for, with its default, for the flag's description. */
export const standsFor = (key: string) => `${key}; default: ${settings.get(key)?.default}`;

/** Collects a flag that may be repeated. */
export const append = (value: string, all: readonly string[] = []) => [...all, value];

/** `--config` and `--set`, for every command that reads settings. */
export function addSettingFlags(command: Command): Command {
  return command
    .option('-c, --config <file>', 'configuration file (default: the variable WEIR_CONFIG, else none)')
    .option('--set <key=value>', 'any setting, such as log.level=warn; may be repeated', append);
}

export interface TreeFlags {
  readonly tree?: string;
}

/** `--tree`, for commands that write to ZooKeeper. */
export function addTreeFlag(command: Command): Command {
  return command.option(
    '--tree <pattern>',
    'which of registry.zookeeper.trees to write to, where more than one has {channel} and {endpoint}',
  );
}

export interface JsonFlags {
  readonly json?: true;
}

/** `--json`: only JSON objects on standard output, one a line. */
export function addJsonFlag(command: Command, each = 'one JSON object'): Command {
  return command.option('--json', `print ${each}, for programs`);
}

/** `--zookeeper` and `--registry`, for every command that talks to a registry. */
export function addRegistryFlags(command: Command): Command {
  return command
    .option('--zookeeper <servers>', `HOST:PORT[,HOST:PORT…][/chroot] (${standsFor('registry.zookeeper.servers')})`)
    .addOption(
      new Option('--registry <kind>', `where endpoints are registered (${standsFor('registry.kind')})`).choices([
        'zookeeper',
        'embedded',
        'file',
      ]),
    );
}

/**
 * The settings that the common flags and those of one command stand for, above the environment.
 *
 * @throws ConfigError when the flags contradict each other
 */
export function requestOf(flags: CommonFlags, more: readonly (Override | undefined)[] = []): ConfigRequest {
  if (flags.zookeeper !== undefined && (flags.registry ?? 'zookeeper') !== 'zookeeper') {
    throw new ConfigError([{ path: '--zookeeper', message: `cannot be used with --registry ${flags.registry}` }]);
  }
  const overrides = [
    override('--zookeeper', flags.zookeeper, (servers) => ({
      registry: { kind: 'zookeeper', zookeeper: { servers } },
    })),
    override('--registry', flags.registry, (kind) => ({ registry: { kind } })),
    ...more,
  ];
  return {
    file: flags.config,
    sets: flags.set ?? [],
    env: process.env,
    overrides: overrides.filter((item) => item !== undefined),
  };
}

/** A flag as an override of settings; undefined when it was not given. */
export function override<T>(
  origin: string,
  value: T | undefined,
  settings: (value: T) => ConfigInput,
): Override | undefined {
  return value === undefined ? undefined : { origin, settings: settings(value) };
}

/** Reads a number between two bounds, for commander. */
export const number = (minimum: number, maximum: number) => (text: string) => {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= minimum && value <= maximum) return value;
  throw new InvalidArgumentError(`Expected a number from ${minimum} to ${maximum}.`);
};

export interface ListenFlags {
  readonly listen?: string;
  readonly admin?: string;
  readonly policy?: Config['balancer']['policy'];
}

/** The flags of an edge, for what runs one and for what prints its settings. */
export function addListenFlags(command: Command): Command {
  return command
    .option('--listen <address:port>', `listener for players (${standsFor('listen')})`)
    .option('--admin <address:port>', `listener for metrics, health and API (${standsFor('admin.listen')})`)
    .option(
      '--policy <name>',
      `how an endpoint is picked: ${settings.get('balancer.policy')?.expected} (${standsFor('balancer.policy')})`,
    );
}

/** The flags of `addListenFlags` as overrides; undefined for each that was not given. */
export const listenOverrides = ({ listen, admin, policy }: ListenFlags): readonly (Override | undefined)[] => [
  override('--listen', listen, (address) => ({ listen: address })),
  override('--admin', admin, (address) => ({ admin: { listen: address } })),
  // The schema says what a policy may be, for the flag as for the file.
  override('--policy', policy, (name) => ({ balancer: { policy: name } })),
];

export interface EdgeFlags {
  readonly admin?: string;
}

/** `--admin`, for commands that may ask a running edge instead of ZooKeeper: its URL, or what its own `--admin` says. */
export function addEdgeFlag(command: Command, description: string): Command {
  return command.addOption(new Option('--admin <url>', `${description}: a URL or ADDRESS:PORT`).conflicts('zookeeper'));
}

/** What `--admin` means: the registry is in the edge there. */
export const edgeOverride = ({ admin }: EdgeFlags): Override | undefined =>
  override('--admin', admin, (where) => ({
    registry: { kind: 'embedded', embedded: { url: listenerUrl(where) ?? where } },
  }));

export interface LeaseFlags extends EdgeFlags {
  readonly tokenFile?: string;
}

/** `--admin` and `--token-file`, for commands that write to a registry, which may be the embedded one of an edge. */
export function addLeaseFlags(command: Command, description: string): Command {
  return addEdgeFlag(command, description).option(
    '--token-file <file>',
    'bearer token of the embedded registry (registry.embedded.tokenFile)',
  );
}

/** What `--admin` and `--token-file` mean. */
export const leaseOverrides = (flags: LeaseFlags): readonly (Override | undefined)[] => [
  edgeOverride(flags),
  override('--token-file', flags.tokenFile, (tokenFile) => ({ registry: { embedded: { tokenFile } } })),
];

export interface ValueFlags {
  readonly load?: number;
  readonly bitrate?: number;
  readonly packetLoss?: number;
}

/** `--load`, `--bitrate` and `--packet-loss` of a registration. */
export function addValueFlags(command: Command): Command {
  return command
    .option('--load <fraction>', 'load, 0 to 1 (default: unknown)', number(0, 1))
    .option('--bitrate <kbit/s>', 'bitrate (default: unknown)', number(0, maxBitrateKbps))
    .option('--packet-loss <fraction>', 'packet loss, 0 to 1 (default: unknown)', number(0, 1));
}

/**
 * The name of a channel as it was typed.
 * @throws InvalidArgumentError when it is no name of a channel
 */
export function channelName(text: string): string {
  if (parseChannelName(text) !== undefined) return text;
  throw new InvalidArgumentError('Expected one path segment of 1 to 255 bytes, without a slash.');
}

/**
 * The address of an endpoint as it was typed.
 * @throws InvalidArgumentError when it is no address that an endpoint may register
 */
export function serviceAddress(text: string): string {
  if (parseServiceAddress(text) !== undefined) return text;
  throw new InvalidArgumentError('Expected HOST:PORT, an http(s) URL, or a template with {channel} and {rest}.');
}

export interface OriginFlags {
  readonly origin?: readonly string[];
}

/** `--origin`, for an edge without a registry. */
export function addOriginFlag(command: Command): Command {
  return command.option(
    '--origin <channel=address>',
    'an endpoint of a channel, such as news=http://10.0.0.1:8080, without any registry; may be repeated',
    append,
  );
}

/**
 * What `--origin` means: nobody else is asked for endpoints than the settings, and the file that they may name.
 *
 * @throws ConfigError beside a flag that names another registry
 */
export function originOverride({ origin, zookeeper, registry }: OriginFlags & CommonFlags): Override | undefined {
  const other = zookeeper !== undefined ? '--zookeeper' : `--registry ${registry ?? 'file'}`;
  if (origin !== undefined && other !== '--registry file') {
    throw new ConfigError([{ path: '--origin', message: `cannot be used with ${other}` }]);
  }
  return override('--origin', origin, (origins) => ({ registry: { kind: 'file', file: { origins: [...origins] } } }));
}
