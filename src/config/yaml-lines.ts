// Pure: settings as YAML for people: short lists on one line, comments of limited width.

import { stringify } from 'yaml';

const width = 100;

/** The spaces before a setting at this path. */
export const indent = (path: readonly string[]): string => '  '.repeat(path.length - 1);

/** `name: value`; a long list has one item per line. */
export function assignment(path: readonly string[], value: unknown): string[] {
  const start = `${indent(path)}${path.at(-1)}:`;
  const inline = stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trimEnd();
  if (!Array.isArray(value) || start.length + inline.length < width) return [`${start} ${inline}`];
  return [start, ...value.map((item) => `${indent(path)}  - ${stringify(item, { lineWidth: 0 }).trimEnd()}`)];
}

/** The text as comment lines, indented like the setting at `path`. */
export function comment(path: readonly string[], text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${indent(path)}# ${word}`);
  }
  return lines;
}
