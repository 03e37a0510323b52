// `weir fleet`: which edges there are, once or as they change.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import type { Config } from '../config-schema.js';
import { OperatorError } from '../errors.js';
import { type EdgeJson, edgeJson, readEdges } from '../fleet/read-edges.js';
import { edgeUrl } from '../registrar/edge-url.js';
import { fleetChangeLine, fleetChanges, fleetTable } from './fleet-lines.js';
import { withFleet } from './fleet-session.js';
import { print, printJson, untilAskedToEnd } from './lifetime.js';
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
import { readSettings } from './settings.js';

interface Flags extends CommonFlags, EdgeFlags, JsonFlags {
  readonly watch?: true;
  readonly timeout: number;
}

const examples = `
Examples:
  weir fleet --zookeeper 127.0.0.1:2181
  weir fleet --watch --json | jq -r .name
  weir fleet --admin http://127.0.0.1:8081          what a running edge sees

An edge is listed while its session with ZooKeeper lives. Its numbers are as old as some seconds, and small changes as a minute.`;

/** Between two looks with --watch, in ms: at least, and for each edge. */
const minPauseMs = 1_000;
const pauseMsPerEdge = 5;

const answer = z.object({
  enabled: z.boolean(),
  reason: z.string().optional(),
  edges: z
    .array(
      z.object({
        site: z.string(),
        name: z.string(),
        run: z.string(),
        status: z.enum(['serving', 'draining']),
        version: z.string().nullable(),
        started: z.string().nullable(),
        workers: z.number().nullable(),
        viewers: z.number().nullable(),
        kbps: z.number().nullable(),
        players: z.string().nullable(),
        peers: z.string().nullable(),
        config_revision: z.string().nullable(),
        config_error: z.string().nullable(),
      }),
    )
    .nullable(),
});

/** @throws OperatorError in words */
async function askEdge(config: Config, deadlineMs: number): Promise<readonly EdgeJson[]> {
  const url = edgeUrl(config);
  let text: unknown;
  try {
    const response = await fetch(`${url}/api/v1/fleet`, { signal: AbortSignal.timeout(deadlineMs) });
    text = await response.json();
  } catch (error) {
    const { cause, message } = error as Error;
    throw new OperatorError(`no answer from the edge at ${url}: ${cause instanceof Error ? cause.message : message}`);
  }
  const { data } = answer.safeParse(text);
  if (data === undefined) throw new OperatorError(`what answers at ${url} is no edge of this version`);
  if (!data.enabled) throw new OperatorError(`there is no fleet: ${data.reason ?? 'the edge does not say why'}`);
  if (data.edges === null) throw new OperatorError(`the edge at ${url} has no connection to ZooKeeper now`);
  return data.edges;
}

type Look = () => Promise<readonly EdgeJson[]>;

async function list(look: Look, json: boolean): Promise<void> {
  const edges = await look();
  if (json) edges.forEach(printJson);
  else if (edges.length === 0) print('no edges');
  else fleetTable(edges).forEach(print);
}

async function watch(look: Look, json: boolean, asked: AbortSignal): Promise<void> {
  let known: readonly EdgeJson[] = [];
  let isLost = false;
  const tell = (text: string) => void process.stderr.write(`weir: ${text}\n`);
  while (!asked.aborted) {
    try {
      const edges = await look();
      if (isLost) tell('the fleet is in reach again');
      isLost = false;
      for (const change of fleetChanges(known, edges)) {
        if (json) printJson({ change: change.change, ...change.edge });
        else print(fleetChangeLine(change));
      }
      known = edges;
    } catch (error) {
      if (!isLost) tell(`${(error as Error).message}; going on trying`);
      isLost = true;
    }
    await sleep(minPauseMs + pauseMsPerEdge * known.length, undefined, { signal: asked }).catch(() => {});
  }
}

async function fleet(flags: Flags): Promise<void> {
  const { config } = readSettings(requestOf(flags, [edgeOverride(flags)]));
  const json = flags.json === true;
  const deadlineMs = flags.timeout * 1_000;
  await untilAskedToEnd(async (asked) => {
    const show = async (look: Look) => (flags.watch ? await watch(look, json, asked) : await list(look, json));
    if (flags.admin !== undefined) return await show(() => askEdge(config, deadlineMs));
    await withFleet(config, deadlineMs, async (session) => {
      await show(async () => (await readEdges(session, config.fleet.root)).map(edgeJson));
    });
  });
}

/** Adds `weir fleet` to the command line. */
export function addFleet(program: Command): void {
  const command = program.command('fleet').description('list the edges of the fleet, or follow them as they change');
  addEdgeFlag(addRegistryFlags(command), 'ask a running edge, at its admin listener')
    .option('-w, --watch', 'go on: + came, ~ changed, - gone')
    .option('--timeout <seconds>', 'longest wait for ZooKeeper or the edge', number(0.1, 3600), 10);
  addJsonFlag(addSettingFlags(command), 'one JSON object an edge').addHelpText('after', examples).action(fleet);
}
