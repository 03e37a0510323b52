// Pure: the values that were set, one for each setting. Files, variables and flags all become this.

import { nearest } from './nearest.js';
import { type SettingsProblem, show } from './problem.js';
import { type Section, type Setting, settings, settingsTree } from './settings.js';

/** One value that was set. */
export interface Given {
  readonly setting: Setting;
  readonly value: unknown;
  /** Where: `FILE:LINE`, the name of a variable, a flag. */
  readonly origin: string;
}

/** The values and the warnings of one source. */
export interface SettingsSource {
  readonly given: readonly Given[];
  readonly problems: readonly SettingsProblem[];
  /** Oddities that do not prevent a start. */
  readonly warnings?: readonly SettingsProblem[];
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function unknownKey(section: Section, key: string): string {
  const siblings = [...section.settings, ...section.sections].map((known) => known.path.at(-1) ?? '');
  const beside = nearest(key, siblings);
  if (beside !== undefined) return `unknown setting; did you mean ${[...section.path, beside].join('.')}?`;
  const elsewhere = [...settings.values()].find((setting) => setting.path.at(-1) === key);
  if (elsewhere !== undefined) return `unknown setting; did you mean ${elsewhere.key}?`;
  return `unknown setting; expected one of ${siblings.join(', ')}`;
}

/**
 * Takes a nested mapping apart into its settings. A section or setting that is null counts as not written, as when all
 * lines below a section are commented out.
 */
export function fromMapping(mapping: unknown, originOf: (path: readonly string[]) => string): SettingsSource {
  const given: Given[] = [];
  const problems: SettingsProblem[] = [];

  function walk(section: Section, value: unknown): void {
    if (value === null || value === undefined) return;
    if (!isMapping(value)) {
      const names = [...section.settings, ...section.sections].map((known) => known.path.at(-1)).join(', ');
      const path = section.key === '' ? 'the document' : section.key;
      problems.push({ path, origin: originOf(section.path), message: `expected a mapping with ${names}` });
      return;
    }
    for (const [name, inner] of Object.entries(value)) {
      const path = [...section.path, name];
      const key = path.join('.');
      const below = section.sections.find((known) => known.key === key);
      const setting = section.settings.find((known) => known.key === key);
      if (below !== undefined) walk(below, inner);
      else if (setting === undefined)
        problems.push({ path: key, origin: originOf(path), message: unknownKey(section, name) });
      else if (inner !== null && inner !== undefined) given.push({ setting, value: inner, origin: originOf(path) });
    }
  }

  walk(settingsTree, mapping);
  return { given, problems };
}

/** The nested mapping that the schema takes. A later value of the same setting wins. */
export function toMapping(given: readonly Given[]): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const { setting, value } of given) {
    let section = root;
    for (const name of setting.path.slice(0, -1)) {
      section[name] ??= {};
      section = section[name] as Record<string, unknown>;
    }
    section[setting.path.at(-1) ?? ''] = value;
  }
  return root;
}

interface SchemaIssue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** A finding of the schema in weir's words, with the source of the value. */
export function toProblem(issue: SchemaIssue, given: ReadonlyMap<string, Given>): SettingsProblem {
  const path = issue.path.map(String);
  const lengths = path.map((_, index) => path.length - index);
  const known = lengths.map((length) => settings.get(path.slice(0, length).join('.'))).find((found) => found);
  const message =
    known === undefined || issue.code === 'custom' || issue.message.startsWith('expected')
      ? issue.message
      : `expected ${known.expected}`;
  const source = known && given.get(known.key);
  if (known === undefined || source === undefined) return { path: path.join('.'), message };
  const inside = path.slice(known.path.length);
  const value = inside.reduce<unknown>(
    (outer, name) => (typeof outer === 'object' && outer !== null ? Reflect.get(outer, name) : undefined),
    source.value,
  );
  const shown = known.key + inside.map((name) => `[${name}]`).join('');
  return { path: shown, origin: source.origin, value: show(value, known.secret), message };
}
