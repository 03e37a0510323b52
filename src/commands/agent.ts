// `weir agent`: keeps the streams of the media server beside it registered.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import type { Command } from 'commander';
import { Agent, runAgent, type Surroundings } from '../agent/agent.js';
import { CommandSource } from '../agent/command-source.js';
import { listenForHooks } from '../agent/hooks.js';
import { kinds } from '../agent/kinds.js';
import { machineCpu, networkCount, processCpu, Share } from '../agent/machine.js';
import { Poller, type StreamSource } from '../agent/poller.js';
import type { MediaServer } from '../agent/server.js';
import type { Reading } from '../agent/stream.js';
import { type Naming, wantedOf } from '../agent/wanted.js';
import type { Config } from '../config-schema.js';
import { OperatorError } from '../errors.js';
import type { Logger } from '../log.js';
import { openRegistrar, type ReportPlace } from '../registrar/registrar.js';
import { isRead } from '../registry/place.js';
import { compileTrees, treesOf } from '../registry/trees.js';
import { type AgentFlags, addAgentFlags } from './agent-flags.js';
import { aborted, print, printJson, untilAskedToEnd } from './lifetime.js';
import { leaseOverrides, requestOf } from './options.js';
import { settingsWithLogger } from './settings.js';
import { flaggedTraits } from './trait-flags.js';

function secretIn(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    const secret = readFileSync(file, 'utf8').trim();
    if (secret !== '') return secret;
  } catch (error) {
    throw new OperatorError(`${file}: ${(error as Error).message}`);
  }
  throw new OperatorError(`${file}: it is empty`);
}

/** The first address of this machine that others may reach; IPv4 before IPv6. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outer = all.filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0);
  const found = outer.find(({ family }) => family === 'IPv4') ?? outer[0];
  return found?.address ?? '127.0.0.1';
}

function around(flags: AgentFlags): Surroundings {
  const { cpu, network, interface: device } = flags;
  const count = cpu === 'none' ? () => undefined : cpu === 'machine' ? machineCpu : () => processCpu(cpu);
  const processor = new Share(count);
  const traffic = new Share(() => (network === undefined ? undefined : networkCount(network * 1e6, device)));
  return {
    now: () => performance.now(),
    usage: () => ({ cpu: processor.look(), network: traffic.look() }),
    after(delayMs, call) {
      const timer = setTimeout(call, delayMs);
      return () => clearTimeout(timer);
    },
  };
}

interface Beside {
  readonly source: StreamSource;
  /** Undefined for a program. */
  readonly server: MediaServer | undefined;
  readonly address: string;
}

function beside(name: string, program: readonly string[], flags: AgentFlags, logger: Logger): Beside {
  if (name === 'command') {
    const [file, ...parameters] = program;
    if (file === undefined) throw new OperatorError('weir agent command: the program is missing, see --help');
    if (flags.address === undefined) throw new OperatorError('weir agent command: --address is missing, see --help');
    return { source: new CommandSource(file, parameters, logger), server: undefined, address: flags.address };
  }
  if (program.length > 0) throw new OperatorError(`weir agent ${name}: only command takes a program`);
  const kind = kinds[name as keyof typeof kinds];
  const server = kind.create({ user: flags.apiUser, secret: secretIn(flags.apiSecretFile) }, () => performance.now());
  const poll = { intervalMs: flags.interval, deadlineMs: flags.silence };
  const source = new Poller(server, flags.api ?? kind.api, poll, logger);
  return { source, server, address: flags.address ?? kind.address };
}

async function agent(name: string, program: readonly string[], flags: AgentFlags): Promise<void> {
  if (flags.silence < 2 * flags.interval && name !== 'command') {
    throw new OperatorError('--silence has to be at least twice --interval: one answer that is late is no silence');
  }
  const { config, logger } = settingsWithLogger(requestOf(flags, leaseOverrides(flags)));
  const { source, server, address } = beside(name, program, flags, logger);
  const host = flags.host ?? ownAddress();
  const naming = { channel: flags.channel, address, host, apps: flags.app ?? [] };
  await untilAskedToEnd(async (asked) => {
    if (flags.dryRun) return show(await firstReading(source, flags.silence, asked), naming, flags.json === true);
    await run(config, logger, flags, { source, server, naming }, asked);
  });
}

/** Where the load of this server stands; undefined: with each stream. */
function reportPlace({ registry }: Config, folder: string, logger: Logger): ReportPlace | undefined {
  if (folder === 'none' || registry.kind !== 'zookeeper') return undefined;
  const name = `${hostname()
    .replaceAll(/[^\w.-]/g, '_')
    .slice(0, 64)}-${randomUUID().slice(0, 8)}`;
  const patterns = compileTrees(treesOf(registry.zookeeper)).map(({ pattern }) => pattern);
  if (!isRead(`${folder}/${name}`, patterns)) return { folder, name };
  logger.warn({ folder }, 'a tree reads what is in this folder: the load is written with each stream (see --reports)');
  return undefined;
}

async function run(
  config: Config,
  logger: Logger,
  flags: AgentFlags,
  { source, server, naming }: Pick<Beside, 'source' | 'server'> & { readonly naming: Naming },
  asked: AbortSignal,
): Promise<void> {
  const surroundings = around(flags);
  const registrar = await openRegistrar(config, logger, {
    prefix: 'agent-',
    tree: flags.tree,
    report: reportPlace(config, flags.reports, logger),
  });
  const settings = {
    naming,
    silenceMs: flags.silence,
    reportIntervalMs: flags.reportInterval,
    maxStreams: flags.streams,
    maxViewers: flags.viewers,
    traits: flaggedTraits(flags),
  };
  const agent = new Agent(settings, registrar, surroundings, logger);
  const token = secretIn(flags.hookTokenFile);
  const hooks =
    flags.hooks === undefined || server === undefined
      ? undefined
      : await listenForHooks(
          { listen: flags.hooks, token },
          (call) => {
            const hook = server.heard(call);
            if (hook === undefined) return;
            agent.called(hook);
            source.look();
          },
          logger,
        );
  if (flags.json) printJson({ ready: true, hooks: hooks?.url ?? null });
  else print(`agent ready${hooks === undefined ? '' : `: hooks ${hooks.url}`}`);
  try {
    await runAgent(agent, source, { drainMs: flags.drain }, surroundings, asked);
  } finally {
    await hooks?.close();
  }
}

/** @throws OperatorError when nothing is heard in time */
async function firstReading(source: StreamSource, silenceMs: number, asked: AbortSignal): Promise<Reading> {
  const end = new AbortController();
  const signal = AbortSignal.any([asked, end.signal]);
  let reading: Reading | undefined;
  const timer = setTimeout(() => end.abort(), silenceMs + 500);
  const running = source.run(
    {
      answered(first) {
        reading ??= first;
        end.abort();
      },
      gone: () => end.abort(),
    },
    signal,
  );
  await aborted(signal);
  clearTimeout(timer);
  await running;
  if (reading === undefined) throw new OperatorError('the media server did not answer');
  return reading;
}

function show({ streams }: Reading, naming: Naming, json: boolean): void {
  const { wanted, leftOut } = wantedOf(streams, undefined, naming);
  for (const { channel, address, bitrate = null, packetLoss = null } of wanted.values()) {
    if (json) printJson({ channel, service_address: address, bitrate, packet_loss_rate: packetLoss });
    else print(`${channel}  ${address}`);
  }
  for (const { stream, why } of leftOut) {
    const { app, name } = stream;
    if (json) printJson({ left_out: why, app, stream: name });
    else print(`left out (${why}): ${JSON.stringify(name)} of app ${JSON.stringify(app)}`);
  }
  if (wanted.size === 0 && !json) print('no streams');
}

/** Adds `weir agent` to the command line. */
export function addAgent(program: Command): void {
  const command = program.command('agent').description('keep the streams of the media server beside it registered');
  addAgentFlags(command).action(agent);
}
