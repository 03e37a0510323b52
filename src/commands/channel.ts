// `weir channel put|get|rm`: single nodes of ZooKeeper by hand, each written only as it was read.

import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { OperatorError } from '../errors.js';
import { decode } from '../registry/formats/decode.js';
import { setMembers } from '../registry/formats/json-members.js';
import {
  Conflict,
  makeFolders,
  type NodeState,
  protectNode,
  readNode,
  removeNode,
  writeNode,
} from '../registry/node-writes.js';
import { channelFolder, type WriteTree, writeTreeOf } from '../registry/write-tree.js';
import { children } from '../registry/zookeeper-calls.js';
import { below, withAncestors } from '../tree-pattern.js';
import { print, printJson } from './lifetime.js';
import {
  conflictJson,
  conflictLines,
  differenceLines,
  nodeJson,
  nodeLines,
  textOf,
  writtenJson,
} from './node-lines.js';
import {
  addJsonFlag,
  addRegistryFlags,
  addSettingFlags,
  addTreeFlag,
  addValueFlags,
  type CommonFlags,
  channelName,
  type JsonFlags,
  number,
  requestOf,
  serviceAddress,
  type TreeFlags,
  type ValueFlags,
} from './options.js';
import { readSettings } from './settings.js';
import { addTraitFlags, flaggedTraits, type TraitFlags, traitFlagNames } from './trait-flags.js';
import { onZooKeeper } from './zookeeper-nodes.js';

type Flags = CommonFlags & JsonFlags & TreeFlags;

interface WriteFlags extends Flags {
  readonly ifVersion?: number;
  readonly force?: true;
}

interface PutFlags extends WriteFlags, TraitFlags, ValueFlags {
  readonly data?: string;
  readonly address?: string;
  readonly dryRun?: true;
}

const putExamples = `
Examples:
  weir channel put news a --address 10.0.0.1:8080 --load 0.2
  weir channel put news a --weight 0.1                        only the weight changes
  weir channel put news --load 0.5                            what its endpoints do not say themselves
  weir channel put news a --data node.json --if-version 7

It reads the node, shows what changes, and writes only if the node still has the version that was read, or that
--if-version names. If somebody else was there first it shows both values, writes nothing, and ends with exit code 3.
Named values are set in the JSON that is there; everything else in it stays as it is. The node is persistent.`;

const getExamples = `
Examples:
  weir channel get news
  weir channel get news a --json | jq -r .data`;

const rmExamples = `
Examples:
  weir channel rm news a
  weir channel rm news

It removes the node that was named and nothing below it. An ephemeral node belongs to a session, which would be left
without: --force removes it nevertheless. Exit code 3: somebody changed it meanwhile, and it was left.`;

/** The path of a channel's node, or of one of its endpoints. */
function nodePath(tree: WriteTree, channel: string, endpoint: string | undefined): string {
  const folder = channelFolder(tree, channel);
  return endpoint === undefined ? folder : below(folder, endpoint);
}

/** Runs a write; a conflict is shown with both values before it ends the command. */
async function showingConflicts(
  json: boolean,
  wanted: Uint8Array | undefined,
  write: () => Promise<void>,
): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (error instanceof Conflict) {
      if (json) printJson(conflictJson(error, wanted));
      else conflictLines(error, wanted).forEach(print);
    }
    throw error;
  }
}

/** What was read, unless --if-version names another state of it. */
function expectedVersion(path: string, found: NodeState | undefined, asked: number | undefined): number | 'absent' {
  if (asked !== undefined && asked !== found?.stat.version) throw new Conflict(path, asked, found);
  return found?.stat.version ?? 'absent';
}

function refuseEphemeral(node: NodeState | undefined, force: boolean, why: string): void {
  if (node?.stat.ephemeral !== true || force) return;
  throw new OperatorError(`${node.path} is ephemeral: ${why}; --force does it nevertheless`);
}

function namedValues(flags: PutFlags): Record<string, unknown> {
  const { address, load, bitrate, packetLoss } = flags;
  return { service_address: address, load, bitrate, packet_loss_rate: packetLoss, ...flaggedTraits(flags) };
}

/** The data to write: those of --data, or those that are there with the named values in them. */
function dataToWrite(flags: PutFlags, found: NodeState | undefined): Uint8Array {
  const { data } = flags;
  if (data !== undefined) return readFileSync(data === '-' ? 0 : data);
  const values = namedValues(flags);
  if (Object.values(values).every((value) => value === undefined)) {
    throw new OperatorError('nothing to write: name values such as --address and --load, or --data');
  }
  const before = found === undefined ? '' : (textOf(found.data) ?? '');
  return Buffer.from(setMembers(before, values) ?? setMembers('{}', values) ?? '');
}

function refuseUnreadable(
  { pattern, formats }: WriteTree,
  channel: string,
  endpoint: string | undefined,
  data: Uint8Array,
): void {
  if (endpoint === undefined && !pattern.readsChannel) {
    throw new OperatorError(
      `${pattern.text}: the data of a channel are not read there; --force writes them nevertheless`,
    );
  }
  const level = endpoint === undefined ? ('channel' as const) : ('endpoint' as const);
  const decoded = decode({ name: endpoint ?? channel, level, data }, formats);
  if (decoded.kind !== 'skipped') return;
  throw new OperatorError(
    `weir could not read this (${decoded.reason}), nothing was written; --force writes it nevertheless`,
  );
}

async function put(channel: string, endpoint: string | undefined, flags: PutFlags): Promise<void> {
  const { config } = readSettings(requestOf(flags));
  const tree = writeTreeOf(config.registry.zookeeper, flags.tree);
  const path = nodePath(tree, channel, endpoint);
  const [json, force] = [flags.json === true, flags.force === true];
  await onZooKeeper(config, async (client) => {
    const found = await readNode(client, path);
    const data = dataToWrite(flags, found);
    if (!force) refuseUnreadable(tree, channel, endpoint, data);
    await showingConflicts(json, data, async () => {
      const expected = expectedVersion(path, found, flags.ifVersion);
      refuseEphemeral(found, force, 'its owner writes it (`weir drain` sets only the status)');
      const same = found !== undefined && Buffer.compare(found.data, data) === 0;
      if (!json) (same ? [`${path}  unchanged`] : differenceLines(path, found, data)).forEach(print);
      if (flags.dryRun || same) {
        if (json) printJson(writtenJson(path, found, data, found?.stat.version ?? null));
        return;
      }
      if (expected === 'absent') {
        const above = withAncestors(path).slice(0, -1);
        const isProtected = config.registry.zookeeper.credentials !== undefined;
        const from = Math.max(0, withAncestors(tree.base).length - 1);
        await makeFolders(client, above, isProtected ? { from } : undefined);
        await writeNode(client, path, data, expected);
        if (isProtected) await protectNode(client, path);
      } else await writeNode(client, path, data, expected);
      if (json) printJson(writtenJson(path, found, data, expected === 'absent' ? 0 : expected + 1));
    });
  });
}

async function get(channel: string, endpoint: string | undefined, flags: Flags): Promise<void> {
  const { config } = readSettings(requestOf(flags));
  const path = nodePath(writeTreeOf(config.registry.zookeeper, flags.tree), channel, endpoint);
  await onZooKeeper(config, async (client) => {
    const node = await readNode(client, path);
    if (node === undefined) throw new OperatorError(`${path}: no such node`);
    const names = [...(await children(client, path))].sort();
    if (flags.json) printJson({ ...nodeJson(node), children: names });
    else nodeLines(node, names).forEach(print);
  });
}

async function rm(channel: string, endpoint: string | undefined, flags: WriteFlags): Promise<void> {
  const { config } = readSettings(requestOf(flags));
  const path = nodePath(writeTreeOf(config.registry.zookeeper, flags.tree), channel, endpoint);
  const json = flags.json === true;
  await onZooKeeper(config, async (client) => {
    const found = await readNode(client, path);
    if (found === undefined) throw new OperatorError(`${path}: no such node`);
    refuseEphemeral(found, flags.force === true, 'it goes with the session that registered it');
    const names = await children(client, path);
    if (names.length > 0) {
      throw new OperatorError(`${path}: ${names.length} below it, such as ${names[0]}; remove them by name first`);
    }
    await showingConflicts(json, undefined, async () => {
      expectedVersion(path, found, flags.ifVersion);
      await removeNode(client, path, found.stat.version);
    });
    if (json) printJson(writtenJson(path, found, undefined, null));
    else print(`removed ${path}`);
  });
}

/** Adds `weir channel` to the command line. */
export function addChannel(program: Command): void {
  const channel = program.command('channel').description('read, write and remove single nodes in ZooKeeper');
  const node = (name: string, description: string, examples: string) => {
    const command = channel.command(name).description(description);
    command.argument('<channel>', 'its name', channelName);
    command.argument(
      '[endpoint]',
      'the name of its node below the channel; without it, the channel itself',
      channelName,
    );
    addJsonFlag(addSettingFlags(addTreeFlag(addRegistryFlags(command)))).addHelpText('after', examples);
    return command;
  };
  const ifVersion = () =>
    new Option('--if-version <number>', 'only if the node has this version').argParser(number(0, 2 ** 31));
  const putNode = node('put', 'write a persistent node, by compare-and-set on its version', putExamples);
  putNode.option('--address <address>', 'HOST:PORT, an http(s) URL, or a template', serviceAddress);
  addTraitFlags(addValueFlags(putNode))
    .addOption(
      new Option('--data <file>', 'the whole data from a file, or - for standard input').conflicts([
        ...['address', 'load', 'bitrate', 'packetLoss', ...traitFlagNames],
      ]),
    )
    .addOption(ifVersion())
    .option('--dry-run', 'show what would change, and write nothing')
    .option('--force', 'also what weir cannot read, and over an ephemeral node')
    .action(put);
  node('get', 'show a node', getExamples).action(get);
  node('rm', 'remove a node that has nothing below it', rmExamples)
    .addOption(ifVersion())
    .option('--force', 'also an ephemeral node')
    .action(rm);
  channel.addHelpText('after', `${putExamples.split('\n\n')[0]}\n  weir channel get news a\n  weir channel rm news a`);
}
