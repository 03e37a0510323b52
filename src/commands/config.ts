// `weir config`: what is in effect, and what there is to set.

import { type Command, Option } from 'commander';
import { exampleDocument, referenceDocument, schemaDocument } from '../config/documents.js';
import { effectiveJson, renderEffective } from '../config/effective.js';
import { ConfigError, type ConfigRequest, readConfig } from '../config.js';
import { addConfigPush } from './config-push.js';
import { withCentre } from './config-target.js';
import { printJson } from './lifetime.js';
import {
  addListenFlags,
  addRegistryFlags,
  addSettingFlags,
  type CommonFlags,
  type JsonFlags,
  type ListenFlags,
  listenOverrides,
  requestOf,
} from './options.js';
import { readSettings } from './settings.js';

interface Flags extends CommonFlags, ListenFlags, JsonFlags {
  readonly check?: true;
  readonly schema?: true;
  readonly example?: true;
  readonly reference?: true;
  readonly fleet?: true;
}

const examples = `
Examples:
  weir config --config weir.yaml           what is in effect, and where each setting came from
  weir config --config weir.yaml --check   only the exit code, and what is wrong
  weir config --config weir.yaml --fleet   with what ZooKeeper says for this edge
  weir config --example > weir.yaml        a file to begin with
  weir config --json | jq .origins         which settings are no defaults`;

function asked(flags: Flags): ConfigRequest | Promise<ConfigRequest> {
  const request = requestOf(flags, listenOverrides(flags));
  return flags.fleet ? withCentre(request) : request;
}

async function output(flags: Flags): Promise<string> {
  if (flags.schema) return schemaDocument;
  if (flags.example) return exampleDocument;
  if (flags.reference) return referenceDocument;
  const { given } = readSettings(await asked(flags));
  return flags.check ? '' : renderEffective(given);
}

/** @throws ConfigError for wrong settings, after they are printed */
async function printAsJson(flags: Flags): Promise<void> {
  try {
    const { given, warnings } = readConfig(await asked(flags));
    printJson(flags.check ? { ok: true, problems: [], warnings } : { ...effectiveJson(given), warnings });
  } catch (error) {
    if (error instanceof ConfigError) printJson({ ok: false, problems: error.problems, warnings: [] });
    throw error;
  }
}

/** Adds `weir config` to the command line. */
export function addConfig(program: Command): void {
  const command = program
    .command('config')
    .description('print the settings that `weir serve` would take, secrets redacted');
  addSettingFlags(addListenFlags(addRegistryFlags(command)))
    .addOption(new Option('--check', 'print only what is wrong').conflicts(['schema', 'example', 'reference']))
    .addOption(new Option('--schema', 'print the JSON Schema of the file').conflicts(['example', 'reference']))
    .addOption(new Option('--example', 'print a commented file with every default').conflicts('reference'))
    .option('--reference', 'print the reference of all settings and variables, in Markdown')
    .addOption(new Option('--json', 'print one JSON object, for programs').conflicts(['example', 'reference']))
    .option('--fleet', 'with what ZooKeeper says for this edge, which `weir config push` wrote')
    .addHelpText('after', examples)
    .action(async (flags: Flags) => {
      if (flags.json && !flags.schema) await printAsJson(flags);
      else process.stdout.write(await output(flags));
    });
  command.enablePositionalOptions();
  addConfigPush(command);
}
