// `weir config push|pull|diff|history|rollback`: the settings that edges take from ZooKeeper.

import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import type { Command } from 'commander';
import { changeLines, documentChanges } from '../config/document-changes.js';
import { loadConfig } from '../config.js';
import type { Config } from '../config-schema.js';
import { OperatorError } from '../errors.js';
import { readDocument, writeDocument } from '../fleet/config/document.js';
import type { RegisteredEdge } from '../fleet/config/edges-of.js';
import { LayerConflict, type LayerState, readHistory, readLayer, versionName } from '../fleet/config/layer-store.js';
import { layerPath } from '../fleet/config/layers.js';
import { push } from '../fleet/config/push.js';
import type { FleetSession } from '../fleet/session.js';
import { addTargetFlags, type TargetFlags, targetOf } from './config-target.js';
import { safe } from './endpoint-lines.js';
import { withFleet } from './fleet-session.js';
import { print, printJson, untilAskedToEnd } from './lifetime.js';
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

/** Milliseconds until ZooKeeper has to have answered. */
const deadlineMs = 20_000;

interface Flags extends CommonFlags, JsonFlags, TargetFlags {}

interface WriteFlags extends Flags {
  readonly now?: true;
  readonly dryRun?: true;
  readonly note?: string;
  readonly timeout: number;
}

interface PushFlags extends WriteFlags {
  readonly ifVersion?: number;
}

const writeHelp = `
One edge tries it first, the canary; then more at a time, each of which has to say that it runs with it. At the first that
cannot, all go back to what was, and nothing is written. Exit code 3: somebody wrote a version of their own meanwhile.`;

const pushHelp = `
Examples:
  weir config pull > fleet.yaml && vi fleet.yaml && weir config push fleet.yaml --note "less delay"
  weir config push site.yaml --site paris --dry-run
  weir config push edge.yaml --edge edge-1:8080 --now

A file that was pulled says in its first line which version it was made from, and replaces only that one.
${writeHelp.trim()}`;

const rollbackHelp = `
Examples:
  weir config history
  weir config rollback               to the version before the present one
  weir config rollback --to 7
${writeHelp}`;

/** Settings and session of a command on one layer. */
async function onLayer(flags: Flags, work: (session: FleetSession, config: Config, layer: string) => Promise<void>) {
  const { config } = readSettings(requestOf(flags));
  await withFleet(config, deadlineMs, (session) =>
    work(session, config, layerPath(config.fleet.root, targetOf(config, flags))),
  );
}

const readText = (file: string) => {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new OperatorError(`${file} cannot be read: ${(error as Error).message}`);
  }
};

const nameOf = ({ site, name }: RegisteredEdge) => `${site}/${name}`;

/** Of a conflict, what is there is shown beside what was to be written, before it ends the command. */
async function showingConflicts<T>(json: boolean, body: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof LayerConflict) {
      const { layer, version, document } = error.current;
      const changes = documentChanges(document?.body ?? '', body);
      const current = document === undefined ? null : { version, ...document.heading, text: document.body };
      if (json) printJson({ layer, conflict: true, expected: error.expected, current, changes });
      else ['theirs (-), yours (+):', ...changeLines(changes).map(safe)].forEach(print);
    }
    throw error;
  }
}

async function pushBody(
  session: FleetSession,
  config: Config,
  flags: WriteFlags,
  body: string,
  { note, expected }: { readonly note: string; readonly expected: number | undefined },
): Promise<void> {
  const json = flags.json === true;
  const target = targetOf(config, flags);
  const edges: string[] = [];
  let before: LayerState | undefined;
  const version = await showingConflicts(json, body, () =>
    untilAskedToEnd((signal) =>
      push({
        session,
        root: config.fleet.root,
        target,
        body,
        heading: { at: new Date().toISOString(), by: `${userInfo().username}@${hostname()}`, note },
        expected,
        check: (centre) => loadConfig({ centre }),
        compared: (state) => {
          before = state;
          const isSame = state.document?.body === body;
          if (!json) {
            print(`${safe(state.layer)}  ${isSame ? 'unchanged' : versionName(state)}`);
            changeLines(documentChanges(state.document?.body ?? '', body))
              .map(safe)
              .forEach(print);
          }
          return !isSame && flags.dryRun !== true;
        },
        now: flags.now === true,
        signal,
        deadlineMs: flags.timeout * 1_000,
        after: (ms, run) => {
          const timer = setTimeout(run, ms);
          return () => clearTimeout(timer);
        },
        told: (edge, isCanary) => {
          edges.push(nameOf(edge));
          if (!json) print(`${safe(nameOf(edge))} runs with it${isCanary ? ' (canary)' : ''}`);
        },
      }),
    ),
  );
  if (json) {
    const changes = documentChanges(before?.document?.body ?? '', body);
    const [was, is] = [before?.document === undefined ? null : before.version, version ?? null];
    printJson({ layer: before?.layer, before: was, version: is, changes, edges });
  } else if (version !== undefined) print(`written as version ${version}`);
}

const pushFile = async (file: string, flags: PushFlags) => {
  const { heading, body } = readDocument(readText(file));
  await onLayer(flags, async (session, config, layer) => {
    const expected = flags.ifVersion ?? (heading?.layer === layer ? heading.version : undefined);
    await pushBody(session, config, flags, body, { note: flags.note ?? '', expected });
  });
};

const pull = (flags: Flags) =>
  onLayer(flags, async (session, _config, layer) => {
    const { version, document } = await readLayer(session, layer);
    if (version === undefined || document === undefined) throw new OperatorError(`${layer}: nothing was pushed yet`);
    const { heading, body } = document;
    const { at, by, note } = heading ?? { at: 'unknown', by: 'unknown', note: '' };
    if (flags.json) printJson({ layer, version, at, by, note, text: body });
    else process.stdout.write(writeDocument({ layer, version, at, by, note }, body));
  });

const diff = async (file: string, flags: Flags & { readonly exitCode?: true }) => {
  const { body } = readDocument(readText(file));
  await onLayer(flags, async (session, _config, layer) => {
    const state = await readLayer(session, layer);
    const changes = documentChanges(state.document?.body ?? '', body);
    if (flags.json) printJson({ layer, version: state.document === undefined ? null : state.version, changes });
    else changeLines(changes).map(safe).forEach(print);
    if (flags.exitCode && changes.length > 0) throw new OperatorError(`${layer} and ${file} differ`);
  });
};

const history = (flags: Flags) =>
  onLayer(flags, async (session, _config, layer) => {
    const versions = await readHistory(session, layer);
    if (flags.json) {
      const all = versions.map(({ version, document: { heading, body } }) => ({
        version,
        at: heading?.at ?? null,
        by: heading?.by ?? null,
        note: heading?.note ?? '',
        text: body,
      }));
      printJson({ layer, versions: all });
      return;
    }
    for (const { version, document } of versions) {
      const { at = 'unknown', by = 'unknown', note = '' } = document.heading ?? {};
      print(safe(`${String(version).padStart(6)}  ${at}  ${by}  ${note}`.trimEnd()));
    }
  });

const rollback = (flags: WriteFlags & { readonly to?: number }) =>
  onLayer(flags, async (session, config, layer) => {
    const versions = await readHistory(session, layer);
    const present = versions[0];
    const wanted = flags.to === undefined ? versions[1] : versions.find(({ version }) => version === flags.to);
    if (present === undefined || wanted === undefined) {
      const known = versions.map(({ version }) => version).join(', ');
      const what = flags.to === undefined ? 'no earlier version' : `no version ${flags.to}`;
      throw new OperatorError(`${layer}: ${what} is known${known === '' ? '' : `, only ${known}`}`);
    }
    const note = flags.note ?? `rollback to ${wanted.version}`;
    await pushBody(session, config, flags, wanted.document.body, { note, expected: present.version });
  });

function addWriteFlags(command: Command): Command {
  return command
    .option('--now', 'all edges at once, without a canary')
    .option('--dry-run', 'check it and show what would change, and write nothing')
    .option('--note <text>', 'why, for the history')
    .option('--timeout <seconds>', 'how long an edge may take to run with it', number(1, 3600), 30);
}

/** Adds the commands below `weir config`. */
export function addConfigPush(config: Command): void {
  const add = (name: string, description: string) => {
    const command = config.command(name).description(description);
    return addSettingFlags(addRegistryFlags(addTargetFlags(addJsonFlag(command, 'one JSON object'))));
  };
  addWriteFlags(add('push <file>', 'give edges new settings by way of ZooKeeper, one edge first; - for standard input'))
    .option('--if-version <number>', 'only if this is the present version', number(0, 2 ** 31))
    .addHelpText('after', pushHelp)
    .action(pushFile);
  add('pull', 'print what edges take from ZooKeeper').action(pull);
  add('diff <file>', 'show which settings of a file differ from those in ZooKeeper')
    .option('--exit-code', 'exit code 1 where they differ')
    .action(diff);
  add('history', 'list the versions that are known, the newest first').action(history);
  addWriteFlags(add('rollback', 'give edges an earlier version again, one edge first'))
    .option('--to <version>', 'which one (default: the one before)', number(0, 2 ** 31))
    .addHelpText('after', rollbackHelp)
    .action(rollback);
}
