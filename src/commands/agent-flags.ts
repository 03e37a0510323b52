// The flags of `weir agent`.

import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { kindNames } from '../agent/kinds.js';
import { type ListenAddress, parseListenAddress } from '../net-address.js';
import { readTraits } from '../registry/formats/traits.js';
import {
  addJsonFlag,
  addLeaseFlags,
  addRegistryFlags,
  addSettingFlags,
  addTreeFlag,
  append,
  type CommonFlags,
  type JsonFlags,
  type LeaseFlags,
  number,
  type TreeFlags,
} from './options.js';
import { addOwnTraitFlags, type OwnTraitFlags } from './trait-flags.js';

export interface AgentFlags extends CommonFlags, LeaseFlags, TreeFlags, OwnTraitFlags, JsonFlags {
  readonly api?: string;
  readonly apiUser?: string;
  readonly apiSecretFile?: string;
  readonly host?: string;
  readonly address?: string;
  readonly channel: string;
  readonly app?: readonly string[];
  readonly hooks?: ListenAddress;
  readonly hookTokenFile?: string;
  readonly interval: number;
  readonly silence: number;
  readonly reportInterval: number;
  readonly reports: string;
  readonly drain: number;
  readonly streams: number;
  readonly cpu: string;
  readonly network?: number;
  readonly interface?: string;
  readonly viewers?: number;
  readonly dryRun?: true;
}

const examples = `
Examples:
  weir agent srs --zookeeper zk1:2181 --hooks 127.0.0.1:8090
  weir agent nginx-rtmp --api http://127.0.0.1:8080/stat --address 'http://{host}:8080/hls/{stream}'
  weir agent node-media-server --api-user admin --api-secret-file password --network 1000
  weir agent mediamtx --viewers 500 --drain 10s
  weir agent zlmediakit --api-secret-file secret --app live
  weir agent lal --hooks 127.0.0.1:8090 --host 10.0.0.1
  weir agent command --address 'http://{host}:8080/{app}/{stream}' -- ./streams.sh live

In templates stand {host}, {vhost}, {app}, {stream} and {path} (app and stream); {channel} and {rest} are for the edge. A server
needs no hooks, with them a stream is found at once. On SIGTERM its streams are taken out; what each server needs, and what
a program prints: docs/agent.md.`;

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/** A duration in ms, for commander. */
const duration = (minMs: number, maxMs: number) => (text: string) => {
  const [, digits = '', unit = ''] =
    /^(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)$/.exec(text) ?? (text === '0' ? ['', '0', 'ms'] : []);
  const value = digits === '' ? Number.NaN : Number(digits) * (units[unit] ?? 1);
  if (value >= minMs && value <= maxMs) return value;
  throw new InvalidArgumentError(`Expected a duration from ${minMs} ms to ${maxMs / 1_000} s, such as 500ms or 2s.`);
};

function apiUrl(text: string): string {
  try {
    const { protocol, username } = new URL(text);
    if ((protocol === 'http:' || protocol === 'https:') && username === '') return text;
  } catch {
    // The error is thrown below.
  }
  throw new InvalidArgumentError('Expected an http(s) URL, without a user in it.');
}

/** A path that endpoints may name as their report, or `none`. */
function reportsFolder(text: string): string {
  const isPath = text.startsWith('/') && readTraits({ report: `${text}/a` }).report !== undefined;
  if (text === 'none' || isPath) return text;
  throw new InvalidArgumentError('Expected a path of ZooKeeper such as /servers, or none.');
}

function listenAddress(text: string): ListenAddress {
  const parsed = parseListenAddress(text);
  if (parsed === undefined) throw new InvalidArgumentError('Expected ADDRESS:PORT, :PORT or [IPv6]:PORT.');
  // Whoever may call may take streams out: other machines only when they are asked for by an address.
  return { host: parsed.host ?? '127.0.0.1', port: parsed.port };
}

/** Adds them to the command. */
export function addAgentFlags(command: Command): Command {
  command
    .addArgument(new Argument('<server>', 'what it is beside').choices([...kindNames, 'command']))
    .argument('[program...]', 'for command: the program that prints the streams, and its arguments');
  command
    .option('--api <url>', "the server's API (default: its usual port on this machine)", apiUrl)
    .option('--api-user <name>', 'user of the API')
    .option('--api-secret-file <file>', 'file with the password, token or secret of the API')
    .option('--host <name>', 'this machine, as edges reach it (default: its first address)')
    .option('--address <template>', "address of a stream (default: the server's usual one)")
    .option('--channel <template>', 'channel of a stream', '{stream}')
    .option('--app <name>', 'only streams of this app; may be repeated', append)
    .option('--hooks <address:port>', "listen for the server's callbacks", listenAddress)
    .option('--hook-token-file <file>', 'file with the token that callbacks carry, as a part of the path or as token=')
    .addOption(
      new Option('--interval <duration>', 'from one look at the API to the next')
        .argParser(duration(100, 60_000))
        .default(1_000, '1s'),
    )
    .addOption(
      new Option('--silence <duration>', 'without an answer for so long streams are taken out')
        .argParser(duration(500, 60_000))
        .default(2_000, '2s'),
    )
    .addOption(
      new Option('--report-interval <duration>', 'small changes of load are written so often')
        .argParser(duration(1_000, 600_000))
        .default(10_000, '10s'),
    )
    .option(
      '--reports <path>',
      'node of ZooKeeper below which the load is written once for all streams; none: with each of them',
      reportsFolder,
      '/servers',
    )
    .addOption(
      new Option('--drain <duration>', 'on SIGTERM: draining is said for so long before the end')
        .argParser(duration(0, 600_000))
        .default(0, '0'),
    )
    .option('--streams <number>', 'streams that are registered at most', number(1, 20_000), 1_000)
    .option('--cpu <source>', 'machine, none, or a file with the id of the process that counts', 'machine')
    .option('--network <Mbit/s>', 'what the network can carry, for the load', number(0.001, 1e7))
    .option('--interface <name>', 'network device that counts (default: all)')
    .option('--viewers <number>', 'viewers that the server can serve, for the load', number(1, 1e9));
  addOwnTraitFlags(command).option('--dry-run', 'print what would be registered, and end');
  addLeaseFlags(addTreeFlag(addRegistryFlags(command)), 'admin listener of the edge whose embedded registry it is');
  const json = 'one JSON object when it is ready, with --dry-run one a stream';
  return addJsonFlag(addSettingFlags(command), json).addHelpText('after', examples);
}
