// `weir channels`: what is registered, once or as it changes.

import type { Command } from 'commander';
import type { Config } from '../config-schema.js';
import { createLogger, type Logger } from '../log.js';
import type { Endpoint } from '../model.js';
import { edgeUrl } from '../registrar/edge-url.js';
import { createRegistry } from '../registry/create.js';
import type { Registry } from '../registry/registry.js';
import { createAdminRegistry } from './admin-snapshot.js';
import { changeLine, jsonLine, table } from './endpoint-lines.js';
import { type EndpointFollower, follow } from './follow.js';
import { print, untilAskedToEnd } from './lifetime.js';
import {
  addEdgeFlag,
  addRegistryFlags,
  addSettingFlags,
  type CommonFlags,
  type EdgeFlags,
  edgeOverride,
  number,
  requestOf,
} from './options.js';
import { remindOf } from './reminder.js';
import { readSettings } from './settings.js';
import { awaitedRegistry } from './where.js';

interface Flags extends CommonFlags, EdgeFlags {
  readonly watch?: true;
  readonly json?: true;
  readonly timeout: number;
}

const examples = `
Examples:
  weir channels --zookeeper 127.0.0.1:2181
  weir channels --watch --json | jq -r .address
  weir channels --admin http://127.0.0.1:8081      what a running edge knows

The embedded registry is in the edge: it is asked by --admin, by default at admin.listen.`;

interface FollowedRegistry {
  readonly name: string;
  readonly advice: string;
  readonly registry: Registry;
}

function sourceOf(config: Config, logger: Logger): FollowedRegistry {
  const { registry } = config;
  const zookeeper = registry.kind === 'zookeeper';
  return {
    ...awaitedRegistry(config),
    registry: zookeeper ? createRegistry(registry, logger) : createAdminRegistry(edgeUrl(config)),
  };
}

function listing(endpoints: readonly Endpoint[], json: boolean): string[] {
  if (json) return endpoints.map((endpoint) => jsonLine(endpoint));
  return endpoints.length === 0 ? ['no channels'] : table(endpoints);
}

const warn = (text: string) => void process.stderr.write(`weir: warning: ${text}\n`);

/** Prints one complete picture. Rejects when none is there by the deadline. */
async function list(source: FollowedRegistry, json: boolean, deadlineMs: number, asked: AbortSignal): Promise<void> {
  const enough = new AbortController();
  const late = AbortSignal.timeout(deadlineMs);
  let lines: string[] | undefined;
  const follower: EndpointFollower = {
    change() {},
    warn,
    status(state, endpoints) {
      if (state !== 'live' || lines !== undefined) return;
      lines = listing(endpoints, json);
      enough.abort();
    },
  };
  await source.registry.run(follow(follower), AbortSignal.any([asked, late, enough.signal]));
  if (lines !== undefined) lines.forEach(print);
  else if (!asked.aborted)
    throw new Error(`nothing heard from ${source.name} in ${deadlineMs / 1000} s; ${source.advice}`);
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
  // A tool at a terminal: only what went wrong.
  const source = sourceOf(config, createLogger({ ...config.log, level: 'error' }));
  await untilAskedToEnd((asked) =>
    flags.watch
      ? watch(source, flags.json === true, asked)
      : list(source, flags.json === true, flags.timeout * 1000, asked),
  );
}

/** Adds `weir channels` to the command line. */
export function addChannels(program: Command): void {
  const command = program.command('channels').description('list what is registered, or follow it as it changes');
  addEdgeFlag(addRegistryFlags(command), 'ask a running edge, whatever its registry, at its admin listener')
    .option('-w, --watch', 'go on: + added, ~ changed, - removed')
    .option('--json', 'one JSON object a line')
    .option('--timeout <seconds>', 'longest wait for a list', number(0.1, 3600), 10);
  addSettingFlags(command).addHelpText('after', examples).action(channels);
}
