// `weir zookeeper doctor`: what is wrong between weir and its ZooKeeper, and what to do.

import { connect } from 'node:net';
import type { Command } from 'commander';
import type { Config } from '../config-schema.js';
import { OperatorError } from '../errors.js';
import { createLogger } from '../log.js';
import { parseConnectString } from '../net-address.js';
import { createRegistry } from '../registry/create.js';
import {
  clockFinding,
  type Finding,
  type MissingSessions,
  rightsFindings,
  type SeenServer,
  type SeenTree,
  serverFindings,
  sessionFinding,
  treeFindings,
} from '../registry/doctor/findings.js';
import { askServer } from '../registry/doctor/four-letter.js';
import { look, type RootsToSee } from '../registry/doctor/look.js';
import type { RegistryNote } from '../registry/registry.js';
import { addressesOf, resolveServers } from '../registry/servers.js';
import { connectSecurely, type TlsSettings, tlsOf, tlsProblem } from '../registry/tls/connection.js';
import { compileTrees, type TreeSettings, treesOf } from '../registry/trees.js';
import { defaultWriteTree } from '../registry/write-tree.js';
import { safe } from './endpoint-lines.js';
import { type EndpointFollower, follow } from './follow.js';
import { print, printJson } from './lifetime.js';
import {
  addJsonFlag,
  addRegistryFlags,
  addSettingFlags,
  type CommonFlags,
  type JsonFlags,
  number,
  requestOf,
} from './options.js';
import { readSettings } from './settings.js';
import { onZooKeeper } from './zookeeper-nodes.js';

interface Flags extends CommonFlags, JsonFlags {
  readonly write?: true;
  readonly timeout: number;
}

const examples = `
Examples:
  weir zookeeper doctor --zookeeper zk1:2181,zk2:2181,zk3:2181
  weir zookeeper doctor --config /etc/weir/weir.yaml --write
  weir zookeeper doctor --json | jq '.findings[] | select(.state == "bad")'

It looks at each server, the ensemble, the session, the rights at the root, the limits, the clock, and every node that is
registered, and says what to do. It writes nothing, unless --write: then it makes a node below the root and removes it,
which shows the rights of the credentials and the server's clock. Exit code 1: something needs doing.`;

const resolveDeadlineMs = 3_000;
const serverDeadlineMs = 3_000;
/** After the first picture, until what is counted a moment later was told. */
const censusDeadlineMs = 3_000;
/** Paths that are named for each reason. */
const maxPaths = 3;

async function seeServers(
  servers: string,
  tls: TlsSettings | undefined,
): Promise<{ readonly servers: readonly SeenServer[]; readonly problems: readonly string[] }> {
  const target = parseConnectString(servers) ?? { servers: [], chroot: '' };
  if (tls !== undefined) {
    const secured = target.servers.map(async (server) => {
      const name = `${server.host}:${server.port}`;
      return { name, answer: await askServer(connectSecurely(server, tls), serverDeadlineMs, tlsProblem) };
    });
    return { servers: await Promise.all(secured), problems: [] };
  }
  const resolved = await resolveServers(target, addressesOf, resolveDeadlineMs);
  const seen = resolved.servers.map(async ({ host, port }) => {
    return { name: `${host}:${port}`, answer: await askServer(connect({ host, port }), serverDeadlineMs) };
  });
  return { servers: await Promise.all(seen), problems: resolved.problems };
}

/** Follows the registry until it told everything once. */
async function seeTree(config: Config, deadlineMs: number): Promise<SeenTree | MissingSessions> {
  const faults = new Map<string, { count: number; paths: string[] }>();
  let watched = { bytes: 0, alarm: false };
  let seen: Pick<SeenTree, 'channels' | 'endpoints'> | undefined;
  let sessions = { open: 0, wanted: 1 };
  let why = '';
  const enough = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const follower: EndpointFollower = {
    change() {},
    warn() {},
    status(state, endpoints) {
      if (state !== 'live' || seen !== undefined) return;
      seen = { channels: new Set(endpoints.map(({ channel }) => channel)).size, endpoints: endpoints.length };
      timer = setTimeout(() => enough.abort(), censusDeadlineMs);
    },
  };
  const onNote = (note: RegistryNote) => {
    if (note.kind === 'watched') watched = note;
    if (note.kind === 'sessions') sessions = note;
    if (note.kind === 'unreached') why = note.why;
    if (note.kind !== 'skipped' && note.kind !== 'unknown_value') return;
    const reason = note.kind === 'skipped' ? note.reason : `${note.field} ${note.reason}`;
    const known = faults.get(reason) ?? { count: 0, paths: [] };
    known.count += 1;
    if (known.paths.length < maxPaths) known.paths.push(note.path);
    faults.set(reason, known);
  };
  const logger = createLogger({ ...config.log, level: 'error' });
  const signal = AbortSignal.any([enough.signal, AbortSignal.timeout(deadlineMs)]);
  await createRegistry(config.registry, logger).run({ ...follow(follower), note: onNote }, signal);
  clearTimeout(timer);
  if (seen === undefined && sessions.open < sessions.wanted) return { missingSessions: { ...sessions, why } };
  if (seen === undefined)
    throw new OperatorError(`the tree was not read in ${deadlineMs / 1000} s; --timeout allows more`);
  return { ...seen, watched, faults };
}

/** The nodes above all channels, and which of them weir writes below. */
function rootsOf(settings: TreeSettings): Pick<RootsToSee, 'bases' | 'written'> {
  const trees = compileTrees(treesOf(settings));
  return {
    bases: [...new Set(trees.map(({ pattern }) => pattern.base))],
    written: defaultWriteTree(settings)?.base,
  };
}

async function examine(config: Config, flags: Flags): Promise<Finding[]> {
  const { servers, sessionTimeout, credentials } = config.registry.zookeeper;
  const seen = await seeServers(servers, tlsOf(config.registry.zookeeper.tls));
  const user = credentials?.split(':', 1)[0];
  try {
    const roots = { ...rootsOf(config.registry.zookeeper), user, mayWrite: flags.write === true };
    const found = await onZooKeeper(config, (client) => look(client, roots, Date.now));
    return [
      ...serverFindings(seen.servers, seen.problems, found.configured),
      sessionFinding(sessionTimeout, found.sessionTimeout),
      ...found.roots.flatMap((root) => rightsFindings(root)),
      clockFinding(found.skewMs, found.newestMtime, Date.now()),
      ...(found.roots.some(({ state }) => state === 'there')
        ? treeFindings(await seeTree(config, flags.timeout * 1000))
        : []),
    ];
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    const advice = 'without a session nothing can be followed or registered';
    const session: Finding = { check: 'session', state: 'bad', found: error.message, advice };
    return [...serverFindings(seen.servers, seen.problems, undefined), session];
  }
}

const marks: Record<Finding['state'], string> = { ok: 'ok  ', note: 'note', bad: 'BAD ' };

function findingLines({ check, state, found, advice }: Finding): string[] {
  const line = `${marks[state]}  ${check.padEnd(8)}  ${safe(found)}`;
  return advice === undefined ? [line] : [line, `${' '.repeat(16)}-> ${advice}`];
}

async function doctor(flags: Flags): Promise<void> {
  const { config } = readSettings(requestOf(flags));
  if (config.registry.kind !== 'zookeeper') throw new OperatorError('registry.kind is not zookeeper');
  const findings = await examine(config, flags);
  const bad = findings.filter(({ state }) => state === 'bad').length;
  if (flags.json) printJson({ ok: bad === 0, findings });
  else findings.flatMap(findingLines).forEach(print);
  if (bad > 0) throw new OperatorError(bad === 1 ? 'one thing needs doing' : `${bad} things need doing`);
}

/** Adds `weir zookeeper` to the command line. */
export function addZooKeeper(program: Command): void {
  const zookeeper = program.command('zookeeper').description('look at the ZooKeeper that weir works with');
  const command = zookeeper.command('doctor').description('say what is wrong with it, and what to do');
  addJsonFlag(addSettingFlags(addRegistryFlags(command)))
    .option('--write', 'also make a node below the root and remove it')
    .option('--timeout <seconds>', 'longest time for reading the tree', number(1, 3600), 60)
    .addHelpText('after', examples)
    .action(doctor);
  zookeeper.addHelpText('after', examples);
}
