// `weir channels`: what is registered, once or as it changes.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { createLogger } from '../log.js';
import type { Endpoint } from '../model.js';
import { changeLine, jsonLine, table } from './endpoint-lines.js';
import { explainPath } from './explain.js';
import { type EndpointFollower, follow } from './follow.js';
import { print, untilAskedToEnd } from './lifetime.js';
import {
  addEdgeFlag,
  addJsonFlag,
  addRegistryFlags,
  addSettingFlags,
  type CommonFlags,
  type EdgeFlags,
  edgeOverride,
  type JsonFlags,
  number,
  requestOf,
} from './options.js';
import { type FollowedRegistry, readEndpoints, sourceOf } from './registered.js';
import { remindOf } from './reminder.js';
import { readSettings } from './settings.js';

interface Flags extends CommonFlags, EdgeFlags, JsonFlags {
  readonly watch?: true;
  readonly explain?: string;
  readonly timeout: number;
}

const examples = `
Examples:
  weir channels --zookeeper 127.0.0.1:2181
  weir channels --watch --json | jq -r .service_address
  weir channels --explain /channels/news           how its nodes are read, or why not
  weir channels --admin http://127.0.0.1:8081      what a running edge knows

The embedded registry is in the edge: it is asked by --admin, by default at admin.listen.`;

function listing(endpoints: readonly Endpoint[], json: boolean): string[] {
  if (json) return endpoints.map((endpoint) => jsonLine(endpoint));
  return endpoints.length === 0 ? ['no channels'] : table(endpoints);
}

const warn = (text: string) => void process.stderr.write(`weir: warning: ${text}\n`);

async function list(source: FollowedRegistry, json: boolean, deadlineMs: number, asked: AbortSignal): Promise<void> {
  const endpoints = await readEndpoints(source, deadlineMs, asked);
  if (endpoints !== undefined) listing(endpoints, json).forEach(print);
}

async function watch(source: FollowedRegistry, json: boolean, asked: AbortSignal): Promise<void> {
  const tell = (text: string) => void process.stderr.write(`${text}\n`);
  const heard = remindOf(source, tell);
  const follower: EndpointFollower = {
    warn,
    change: (change, endpoint) => print(json ? jsonLine(endpoint, change) : changeLine(change, endpoint)),
    status: (state) => {
      heard();
      tell(state === 'live' ? `following ${source.name}` : `${source.name} is out of reach, going on trying`);
    },
  };
  await source.registry.run(follow(follower), asked).finally(heard);
}

async function channels(flags: Flags): Promise<void> {
  const { config } = readSettings(requestOf(flags, [edgeOverride(flags)]));
  if (flags.explain !== undefined) return await explainPath(config, flags.explain, flags.json === true);
  // A tool at a terminal: only what went wrong.
  const source = sourceOf(config, createLogger({ ...config.log, level: 'error' }));
  await untilAskedToEnd((asked) =>
    flags.watch
      ? watch(source, flags.json === true, asked)
      : list(source, flags.json === true, flags.timeout * 1000, asked),
  );
}

function nodePathOf(text: string): string {
  if (text === '/' || /^(\/[^/]+)+$/.test(text)) return text;
  throw new InvalidArgumentError('Expected a path of ZooKeeper, such as /channels/news.');
}

/** Adds `weir channels` to the command line. */
export function addChannels(program: Command): void {
  const command = program.command('channels').description('list what is registered, or follow it as it changes');
  addEdgeFlag(addRegistryFlags(command), 'ask a running edge, whatever its registry, at its admin listener')
    .option('-w, --watch', 'go on: + added, ~ changed, - removed')
    .addOption(
      new Option('--explain <path>', 'how a node of ZooKeeper is read; exit code 3: no endpoint of it is used')
        .argParser(nodePathOf)
        .conflicts(['watch', 'admin']),
    )
    .option('--timeout <seconds>', 'longest wait for a list', number(0.1, 3600), 10);
  addJsonFlag(addSettingFlags(command), 'one JSON object an endpoint').addHelpText('after', examples).action(channels);
}
