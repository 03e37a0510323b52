// Pure: the settings in effect as a configuration file and as JSON, with a note where each that was set came from.

import { type Given, toMapping } from './given.js';
import { type Section, type Setting, settings, settingsTree } from './settings.js';
import { assignment, indent } from './yaml-lines.js';

function settingLines(setting: Setting, given: Given | undefined): string[] {
  const value = given === undefined ? setting.default : given.value;
  if (value === undefined) return [];
  const [first = '', ...rest] = assignment(setting.path, setting.secret ? '(redacted)' : value);
  // When the output is kept as a file, a redacted value must not be taken for the real one.
  const start = setting.secret ? `${indent(setting.path)}# ${first.trimStart()}` : first;
  return [given === undefined ? start : `${start}  # ${given.origin}`, ...rest];
}

/**
 * YAML that, read again, gives the same settings, except for secrets, which stand redacted in comments. Settings that
 * have neither a value nor a default are left out.
 */
export function renderEffective(given: ReadonlyMap<string, Given>): string {
  const sectionLines = (section: Section): string[] => {
    const lines = [
      ...section.settings.flatMap((setting) => settingLines(setting, given.get(setting.key))),
      ...section.sections.flatMap(sectionLines),
    ];
    return section.path.length === 0 ? lines : [`${indent(section.path)}${section.path.at(-1)}:`, ...lines];
  };
  return `${sectionLines(settingsTree).join('\n')}\n`;
}

/** The settings in effect for programs. */
export interface EffectiveJson {
  /** Nested as in a configuration file, which they are one of. Without secrets, and without what has neither a value nor a default. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** By key, where each value that is no default came from. */
  readonly origins: Readonly<Record<string, string>>;
  /** Keys of the secrets that are set. */
  readonly redacted: readonly string[];
}

/** See `EffectiveJson`. */
export function effectiveJson(given: ReadonlyMap<string, Given>): EffectiveJson {
  const shown = [...settings.values()].flatMap((setting): Given[] => {
    const own = given.get(setting.key) ?? { setting, value: setting.default, origin: '' };
    return setting.secret || own.value === undefined ? [] : [own];
  });
  return {
    settings: toMapping(shown),
    origins: Object.fromEntries([...given].map(([key, { origin }]) => [key, origin])),
    redacted: [...given.values()].flatMap(({ setting }) => (setting.secret ? setting.key : [])),
  };
}
