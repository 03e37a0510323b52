// Pure: the settings in effect as a configuration file, with a note where each that was set came from.

import type { Given } from './given.js';
import { type Section, type Setting, settingsTree } from './settings.js';
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
