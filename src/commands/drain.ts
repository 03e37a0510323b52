// `weir drain` and `weir undrain`: take endpoints out of service and back, whoever registered them, or an edge.

import type { Command } from 'commander';
import type { Config } from '../config-schema.js';
import { OperatorError } from '../errors.js';
import { createLogger } from '../log.js';
import { edgeUrl } from '../registrar/edge-url.js';
import { changeStatus } from '../registry/formats/status.js';
import { Conflict, readNode, writeNode } from '../registry/node-writes.js';
import { channelFolder, writeTreeOf, writeTrees } from '../registry/write-tree.js';
import type { ZooKeeperClient } from '../registry/zookeeper-client.js';
import { type DrainEdgeFlags, drainEdge } from './drain-edge.js';
import { type FolderOf, parseDrainTarget, pathOf } from './drain-target.js';
import { safe } from './endpoint-lines.js';
import { leaseRoot, writeLeaseStatus } from './lease-status.js';
import { print, printJson, untilAskedToEnd } from './lifetime.js';
import {
  addJsonFlag,
  addLeaseFlags,
  addRegistryFlags,
  addSettingFlags,
  addTreeFlag,
  type CommonFlags,
  type JsonFlags,
  type LeaseFlags,
  leaseOverrides,
  number,
  requestOf,
  type TreeFlags,
} from './options.js';
import { readEndpoints, sourceOf } from './registered.js';
import { readSettings } from './settings.js';
import { onZooKeeper } from './zookeeper-nodes.js';

interface Flags extends CommonFlags, LeaseFlags, TreeFlags, JsonFlags, DrainEdgeFlags {
  readonly timeout: number;
}

type Status = 'draining' | 'live';

/** What came of one endpoint; `error` in words. */
interface Result {
  readonly path: string;
  readonly result: 'written' | 'unchanged' | 'failed';
  readonly error?: string;
}

const examples = (name: string) => `
Examples:
  weir ${name} 10.0.0.1:8080                        every endpoint of this server, in all channels
  weir ${name} news/endpoint-0000000003             one endpoint, by its channel and name
  weir ${name} /channels/news/endpoint-0000000003   the same by its path
  weir ${name} 10.0.0.1:8080 --admin 127.0.0.1:8081 leases of the embedded registry
  weir ${name} --edge edge-1:8080                   an edge, by its name in weir fleet

A draining endpoint is picked only where nothing else is left, and whoever it serves moves on without a seam. Endpoints of
\`weir register\` and \`weir agent\`, and leases, stay as they were set, over their reports and when they register again. Another
program's next report writes over it, unless it keeps the field "status" of its JSON. Exit code 1: not all were written.

An edge out of service is no more in the list of edges, and its /readyz answers 503. Its players are still served, and each answer
closes their connection, so that they look for another edge; viewers of FLV are ended after --grace. The order stays in ZooKeeper
until \`weir undrain --edge\`: an edge that starts again obeys it.`;

/** How often a write is tried again after an origin reported in between. */
const maxAttempts = 5;

async function setNodeStatus(client: ZooKeeperClient, path: string, status: Status): Promise<Result> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  for (let attempt = 1; ; attempt++) {
    const node = await readNode(client, path);
    if (node === undefined) return { path, result: 'failed', error: 'no such node' };
    // A channel's node may hold an endpoint or what its endpoints do not say themselves: both have a status.
    const change = changeStatus({ name, level: 'channel', data: node.data }, status);
    if (change.kind === 'refused') return { path, result: 'failed', error: change.why };
    if (change.kind === 'same') return { path, result: 'unchanged' };
    try {
      await writeNode(client, path, change.text, node.stat.version);
      return { path, result: 'written' };
    } catch (error) {
      if (!(error instanceof Conflict) || attempt === maxAttempts) return failed(path, error);
    }
  }
}

const failed = (path: string, error: unknown): Result => {
  return { path, result: 'failed', error: (error as Error).message };
};

/** Where a channel's endpoints stand; undefined: that does not follow from its name alone. */
function foldersOf({ registry: { kind, zookeeper } }: Config, named: string | undefined): FolderOf | undefined {
  if (kind !== 'zookeeper') return (channel) => `${leaseRoot}/${channel}`;
  const isOnly = zookeeper.trees.length <= 1;
  const tree = named !== undefined ? writeTreeOf(zookeeper, named) : isOnly ? writeTrees(zookeeper)[0] : undefined;
  return tree && ((channel) => channelFolder(tree, channel));
}

/** The paths of the endpoints that are meant. */
async function pathsOf(config: Config, text: string, flags: Flags, asked: AbortSignal): Promise<readonly string[]> {
  if (config.registry.kind === 'file') {
    throw new OperatorError('registry.kind is file: write `status: draining` to the endpoint in that file');
  }
  const target = parseDrainTarget(text, foldersOf(config, flags.tree));
  if (target.kind === 'path') return [target.path];
  const source = sourceOf(config, createLogger({ ...config.log, level: 'error' }));
  const endpoints = (await readEndpoints(source, flags.timeout * 1000, asked)) ?? [];
  const paths = [...new Set(endpoints.filter((each) => target.matches(each)).map(({ id }) => pathOf(id)))].sort();
  if (paths.length === 0) throw new OperatorError(`${text}: no endpoint like this in ${source.name}`);
  if (target.single && paths.length > 1) {
    throw new OperatorError(
      `${text}: ${paths.length} endpoints have this name, say which: ${paths.slice(0, 5).join(', ')}`,
    );
  }
  return paths;
}

/** One after another: an origin that reports meanwhile makes a write start over, and there are few of them. */
async function writeAll(config: Config, paths: readonly string[], status: Status, told: (result: Result) => void) {
  if (config.registry.kind === 'zookeeper') {
    await onZooKeeper(config, async (client) => {
      for (const path of paths) told(await setNodeStatus(client, path, status).catch((error) => failed(path, error)));
    });
    return;
  }
  const { token } = config.registry.embedded;
  for (const path of paths) {
    const written = writeLeaseStatus(edgeUrl(config), token, path, status);
    told(await written.then((): Result => ({ path, result: 'written' })).catch((error) => failed(path, error)));
  }
}

const words: Record<Status, Record<'written' | 'unchanged', string>> = {
  draining: { written: 'draining', unchanged: 'was draining' },
  live: { written: 'live', unchanged: 'was live' },
};

async function setEdgeStatus(config: Config, status: Status, flags: Flags): Promise<void> {
  const done = await drainEdge(config, flags, status, flags.timeout * 1000);
  if (flags.json) return printJson(done);
  const later = done.running || status === 'live' ? '' : '  (does not run: out of service when it starts)';
  print(`${words[status][done.result]}  ${done.site} ${done.edge}${later}`);
}

const setStatus = (status: Status) => async (text: string | undefined, flags: Flags, command: Command) => {
  if ((text === undefined) === (flags.edge === undefined))
    command.error('error: name an endpoint, an address or --edge');
  const { config } = readSettings(requestOf(flags, leaseOverrides(flags)));
  if (flags.edge !== undefined) return await setEdgeStatus(config, status, flags);
  await untilAskedToEnd(async (asked) => {
    const paths = await pathsOf(config, text ?? '', flags, asked);
    let failures = 0;
    await writeAll(config, paths, status, (written) => {
      const { path, result, error = '' } = written;
      if (result === 'failed') failures += 1;
      if (flags.json) printJson({ ...written, status });
      else if (result === 'failed') process.stderr.write(`weir: ${safe(path)}: ${error}\n`);
      else print(`${words[status][result]}  ${safe(path)}`);
    });
    if (failures > 0) throw new OperatorError(`${failures} of ${paths.length} were not written`);
  });
};

function add(program: Command, name: string, description: string, status: Status): void {
  const command = program.command(name).description(description);
  command.argument(
    '[endpoint|address]',
    'HOST:PORT or URL of a server, CHANNEL/NAME, a path, or the name of an endpoint',
  );
  addLeaseFlags(addTreeFlag(addRegistryFlags(command)), 'the edge whose embedded registry it is')
    .option('--edge <name>', 'an edge instead, by its name in weir fleet')
    .option('--site <name>', 'with --edge, its site; needed where it does not run, or several have the name');
  if (status === 'draining') {
    command.option(
      '--grace <seconds>',
      "with --edge, how long viewers of FLV may stay (default: the edge's shutdown.grace)",
      number(0, 86_400),
    );
  }
  command.option('--timeout <seconds>', 'longest wait for the list of endpoints, or the fleet', number(0.1, 3600), 10);
  addJsonFlag(addSettingFlags(command), 'one JSON object an endpoint')
    .addHelpText('after', examples(name))
    .action(setStatus(status));
}

/** Adds `weir drain` and `weir undrain` to the command line. */
export function addDrain(program: Command): void {
  add(program, 'drain', 'take endpoints out of service; whoever they serve moves on', 'draining');
  add(program, 'undrain', 'put endpoints back into service', 'live');
}
