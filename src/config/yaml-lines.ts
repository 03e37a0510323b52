// Pure: settings written as YAML that people read: short lists on one line, comments that keep to the width.

import { stringify } from 'yaml';

const width = 100;

export const indent = (path: readonly string[]): string => '  '.repeat(path.length - 1);

/** `name: value`, a long list one item a line. */
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
