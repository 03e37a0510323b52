// `weir config`: what is in effect, and what there is to set.

import { type Command, Option } from 'commander';
import { exampleDocument, referenceDocument, schemaDocument } from '../config/documents.js';
import { renderEffective } from '../config/effective.js';
import {
  addListenFlags,
  addRegistryFlags,
  addSettingFlags,
  type CommonFlags,
  type ListenFlags,
  listenOverrides,
  requestOf,
} from './options.js';
import { readSettings } from './settings.js';

interface Flags extends CommonFlags, ListenFlags {
  readonly check?: true;
  readonly schema?: true;
  readonly example?: true;
  readonly reference?: true;
}

const examples = `
Examples:
  weir config --config weir.yaml           what is in effect, and where each setting came from
  weir config --config weir.yaml --check   only the exit code, and what is wrong
  weir config --example > weir.yaml        a file to begin with`;

function output(flags: Flags): string {
  if (flags.schema) return schemaDocument;
  if (flags.example) return exampleDocument;
  if (flags.reference) return referenceDocument;
  const { given } = readSettings(requestOf(flags, listenOverrides(flags)));
  return flags.check ? '' : renderEffective(given);
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
    .addHelpText('after', examples)
    .action((flags: Flags) => {
      process.stdout.write(output(flags));
    });
}
