// `weir origin`: a simulated origin, for trying weir where there is none yet.

import { hostname } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import type { Config } from '../config-schema.js';
import { drift } from '../demo/drift.js';
import { type Origin, startOrigin } from '../demo/origin.js';
import { sample } from '../demo/sample.js';
import type { Logger } from '../log.js';
import { parseListenAddress } from '../net-address.js';
import { registerChannels } from '../registrar/registrar.js';
import { aborted, print, untilAskedToEnd } from './lifetime.js';
import {
  addEdgeFlag,
  addRegistryFlags,
  addSettingFlags,
  addTreeFlag,
  append,
  type CommonFlags,
  channelName,
  type EdgeFlags,
  edgeOverride,
  number,
  requestOf,
  serviceAddress,
  type TreeFlags,
} from './options.js';
import { remindWhile } from './reminder.js';
import { settingsWithLogger } from './settings.js';

interface Flags extends CommonFlags, EdgeFlags, TreeFlags {
  readonly channel: readonly string[];
  readonly listen?: { readonly host: string; readonly port: number };
  readonly name: string;
  readonly register?: string;
  readonly seed: number;
}

const examples = `
Examples:
  weir origin --channel news --listen 127.0.0.1:9001
  weir origin --channel news --listen :9001 --register 10.0.0.1:9001 --zookeeper 127.0.0.1:2181

Plays a test pattern with a running clock at /live/CHANNEL.m3u8 and /live/CHANNEL.flv. Its load and packet loss are made up.`;

const reportIntervalMs = 1_000;

function listenAddress(text: string): NonNullable<Flags['listen']> {
  const parsed = parseListenAddress(text);
  if (parsed === undefined) throw new InvalidArgumentError('Expected ADDRESS:PORT, :PORT or [IPv6]:PORT.');
  return { host: parsed.host ?? '0.0.0.0', port: parsed.port };
}

/** Keeps all channels of the origin registered, with values that drift, until the signal. */
async function keepRegistered(
  config: Config,
  logger: Logger,
  flags: Flags,
  address: string,
  asked: AbortSignal,
): Promise<void> {
  const report = () => ({ ...drift(Date.now() / 1000, flags.seed), bitrate: sample().bitrate });
  const options = { prefix: `${flags.name}-`, signal: asked, tree: flags.tree };
  const registering = registerChannels(config, flags.channel, { address, ...report() }, logger, options);
  try {
    const registered = await remindWhile(registering, config, logger);
    for (const path of registered.paths) print(`registered ${address} as ${path}`);
    const timer = setInterval(() => registered.update(report()), reportIntervalMs);
    await aborted(asked);
    clearInterval(timer);
    await registered.close();
  } catch (error) {
    if (!asked.aborted) throw error;
  }
}

async function origin(flags: Flags): Promise<void> {
  const { config, logger } = settingsWithLogger(requestOf(flags, [edgeOverride(flags)]));
  const { channel: channels, listen = { host: '127.0.0.1', port: 0 }, name, register } = flags;
  await untilAskedToEnd(async (asked) => {
    const running: Origin = await startOrigin({ channels, name, ...listen });
    print(`origin ${name} ready: http://${running.address}/live/${channels[0]}.m3u8`);
    try {
      await (register === undefined
        ? aborted(asked)
        : keepRegistered(config, logger.child({ origin: name }), flags, register, asked));
    } finally {
      await running.close();
    }
  });
}

/** Adds `weir origin` to the command line. */
export function addOrigin(program: Command): void {
  const command = program.command('origin').description('run a simulated origin, for trying');
  command
    .requiredOption('--channel <name>', 'channel that it serves; may be repeated', (text: string, all?: string[]) =>
      append(channelName(text), all),
    )
    .option('--listen <address:port>', 'where it serves (default: 127.0.0.1 and a free port)', listenAddress)
    .option('--name <name>', 'what it calls itself in the header X-Origin', hostname())
    .option('--seed <number>', 'of the load and packet loss that it makes up', number(0, 2 ** 31), 1)
    .option('--register <address>', 'register as HOST:PORT, as the edge reaches it', serviceAddress);
  addEdgeFlag(addTreeFlag(addRegistryFlags(command)), 'admin listener of the edge whose embedded registry it is');
  addSettingFlags(command).addHelpText('after', examples).action(origin);
}
