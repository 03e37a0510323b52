// Pure: the documents that are generated from the schema: the JSON Schema, the commented configuration file and the
// reference. `npm run docs` writes them; a test compares the written files with these.

import { stringify } from 'yaml';
import { jsonSchema, type Section, type Setting, settingsTree } from './settings.js';
import { assignment, comment, indent } from './yaml-lines.js';

/** The JSON Schema of the configuration file, as text. */
export const schemaDocument = `${JSON.stringify(jsonSchema, undefined, 2)}\n`;

const sentence = (text: string) => (text.endsWith('.') ? text : `${text}.`);
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** What a value looks like, where its default or its name does not show it. */
function hint(setting: Setting): string {
  const plain = ['text', 'a list', 'true or false'].includes(setting.expected);
  // That it is a duration or a size is plain from its default.
  const expected = setting.expected.replace(/^a (?:duration|size) /, '');
  return plain || setting.secret ? '' : ` ${sentence(capital(expected))}`;
}

function exampleSetting(setting: Setting): string[] {
  const lines = comment(setting.path, setting.description + hint(setting));
  if (setting.default !== undefined) return [...lines, ...assignment(setting.path, setting.default)];
  const unset = assignment(setting.path, setting.example ?? '');
  return [...lines, ...unset.map((line) => `${indent(setting.path)}# ${line.trimStart()}`)];
}

function exampleSection(section: Section): string[] {
  return [
    '',
    ...(section.description === '' ? [] : comment(section.path, section.description)),
    `${indent(section.path)}${section.path.at(-1)}:`,
    ...section.settings.flatMap(exampleSetting),
    ...section.sections.flatMap(exampleSection),
  ];
}

/** A configuration file with every setting at its default, explained in comments. */
export const exampleDocument = [
  '# yaml-language-server: $schema=weir.schema.json',
  '#',
  '# Every setting of weir at its default. Keep the lines that you change; the rest may go.',
  '# A variable of the environment or a flag overrides what stands here: `weir config` prints the outcome.',
  '# Durations are numbers with ms, s, m or h; sizes are numbers with B, KiB, MiB or GiB. Lines with a `#` before a',
  '# setting are examples of what has no default. Generated from the schema by `npm run docs`.',
  '',
  ...settingsTree.settings.flatMap(exampleSetting),
  ...settingsTree.sections.flatMap(exampleSection),
  '',
].join('\n');

const cell = (text: string) => text.replaceAll('|', '\\|');

function code(value: unknown): string {
  if (value === undefined) return 'not set';
  const text = stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trimEnd();
  return `\`${text}\``;
}

function referenceSection(section: Section): string[] {
  const rows = section.settings.map(
    (setting) =>
      `| \`${setting.key}\` | ${code(setting.default)} | ${cell(setting.expected)}${setting.secret ? ', secret' : ''} | ${cell(setting.description)} | \`${setting.env}\` |`,
  );
  const table = ['', '| Setting | Default | Value | What it does | Variable |', '|---|---|---|---|---|', ...rows];
  return [
    '',
    section.path.length === 0 ? '## At the top' : `## \`${section.key}\``,
    ...(section.description === '' ? [] : ['', section.description]),
    ...(rows.length === 0 ? [] : table),
    ...section.sections.flatMap(referenceSection),
  ];
}

/** The settings of which this is true; a section stands for all of its own. */
function keysWhere(isTrue: (setting: Setting) => boolean): string[] {
  const keysOf = (section: Section): string[] => {
    if (settingsOf(section).every(isTrue)) return [`\`${section.key}\``];
    return [...section.settings.filter(isTrue).map(({ key }) => `\`${key}\``), ...section.sections.flatMap(keysOf)];
  };
  return keysOf(settingsTree);
}

function settingsOf(section: Section): readonly Setting[] {
  return [...section.settings, ...section.sections.flatMap(settingsOf)];
}

/** The reference of all settings, in Markdown. */
export const referenceDocument = `${[
  '<!-- Generated from src/config-schema.ts by `npm run docs`. -->',
  '',
  '# Settings',
  '',
  'A setting is looked for in this order, and the last one found wins:',
  '',
  '1. its default;',
  '2. the configuration file, given as `--config FILE` or as the variable `WEIR_CONFIG`;',
  '3. what `weir config push` wrote to ZooKeeper for all edges, for the site, for this edge ([the fleet](fleet.md));',
  '4. its variable in the environment; an empty one counts as not set;',
  '5. `--set KEY=VALUE`, for every setting that is not a secret;',
  '6. a flag of its own, such as `--listen`.',
  '',
  'All errors are told at once. An unknown setting is an error; an unknown `WEIR_` variable is a warning with the name that',
  'was probably meant, since a variable of a newer version must not keep an older one from starting. `weir config` prints',
  'what is in effect and where it came from, `weir config --check` only says whether it is fine. Editors complete and check',
  '[`config/weir.yaml`](../config/weir.yaml) with [`config/weir.schema.json`](../config/weir.schema.json).',
  '',
  'Durations are numbers with `ms`, `s`, `m` or `h`; sizes are numbers with `B`, `KiB`, `MiB` or `GiB`. Only 0 needs no unit. In',
  'a variable and in `--set` a list is written with commas, or as YAML: `[a, b]`. Paths are relative to the working',
  'directory. A secret is refused by `--set`, since other users can read the arguments of a process, and is never printed;',
  'the setting with `File` at the end of its name takes a file that holds it.',
  '',
  'SIGHUP and a change of the configuration file put new settings into effect while the edge runs, most of them by new',
  'workers: with `workers: 0` more of them wait for a new start, which the log then says.',
  `These always do: ${keysWhere(({ reload }) => reload === 'restart').join(', ')}.`,
  '',
  `Never taken from ZooKeeper: ${keysWhere(({ local }) => local).join(', ')}.`,
  ...referenceSection(settingsTree),
].join('\n')}\n`;
