// `weir serve`: the edge.

import type { Command } from 'commander';
import { version } from '../package.js';
import { startConfiguredEdge } from './edge.js';
import { FleetSettings } from './fleet-settings.js';
import { aborted, print, untilAskedToEnd } from './lifetime.js';
import {
  addListenFlags,
  addOriginFlag,
  addRegistryFlags,
  addSettingFlags,
  type CommonFlags,
  type ListenFlags,
  listenOverrides,
  type OriginFlags,
  originOverride,
  requestOf,
} from './options.js';
import { followSettings } from './reload.js';
import { remindWhile } from './reminder.js';
import { settingsWithLogger } from './settings.js';
import { registryName, urlOf } from './where.js';

type Flags = CommonFlags & ListenFlags & OriginFlags;

const examples = `
Examples:
  weir serve --zookeeper zk1:2181,zk2:2181,zk3:2181/live
  weir serve --config /etc/weir/weir.yaml --set log.level=warn
  weir serve --registry embedded --listen :80
  weir serve --origin news=http://10.0.0.1:8080 --origin news=http://10.0.0.2:8080

Prints one line when it serves. After SIGTERM it accepts players for shutdown.delay still and lets them finish for
shutdown.grace; a second one ends it at once. SIGHUP and a change of the configuration file put new settings into effect
without refusing a connection.`;

/** SIGHUP is not among them. */
const endSignals = ['SIGINT', 'SIGTERM'] as const;

async function serve(flags: Flags): Promise<void> {
  const request = requestOf(flags, [...listenOverrides(flags), originOverride(flags)]);
  const { config: own, logger } = settingsWithLogger(request);
  const fleetSettings = new FleetSettings(request, own, logger);
  const { config } = await fleetSettings.restored(own);
  logger.level = config.log.level;
  // Means nothing before there is something to reload, and once it ends.
  process.on('SIGHUP', () => {});
  await untilAskedToEnd(async (signal) => {
    const edge = await startConfiguredEdge(config, logger);
    const where = {
      players: urlOf(edge.dataAddress),
      admin: urlOf(edge.adminAddress),
      registry: registryName(config.registry),
    };
    // Until a first picture is there players would only be told to come again.
    try {
      await remindWhile(Promise.race([edge.ready(), aborted(signal)]), config, logger);
    } catch (error) {
      await edge.close();
      throw error;
    }
    if (!signal.aborted) {
      await fleetSettings.follow(edge, signal);
      const reloads = { request: () => fleetSettings.request, reloaded: () => fleetSettings.retry() };
      followSettings({ ...reloads, edge, logger, end: () => process.kill(process.pid, 'SIGTERM') }, signal);
      logger.info({ version, ...where }, 'ready');
      // For a terminal, and for who starts it and waits for a line.
      const places = Object.entries(where).map(([what, place]) => `${what} ${place}`);
      print(`weir ${version} ready: ${places.join(', ')}`);
    }
    await aborted(signal);
    await edge.drain();
  }, endSignals);
}

/** Adds `weir serve` to the command line. */
export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description('run the edge: players in front, endpoints of a registry behind');
  addSettingFlags(addListenFlags(addOriginFlag(addRegistryFlags(command))))
    .addHelpText('after', examples)
    .action(serve);
}
