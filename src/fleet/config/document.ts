// Pure: a document of the fleet's configuration as it stands in its node: a line of comment that says which version it is and who
// wrote it, then YAML as it was pushed. Whoever pulls a document and pushes it again thereby says which version it was made from.

import { createHash } from 'node:crypto';

/** What the first line says. */
export interface Heading {
  /** The node that it was written to. */
  readonly layer: string;
  readonly version: number;
  /** ISO 8601. */
  readonly at: string;
  /** USER@HOST. */
  readonly by: string;
  readonly note: string;
}

export interface Document {
  /** Undefined where it was written by other means, or without it. */
  readonly heading: Heading | undefined;
  readonly body: string;
}

const mark = '# weir config ';
const shape = /^# weir config (\S{1,1000}) version (\d{1,10}), (\S{1,40}), (\S{1,200})(?:: (.{0,200}))?$/;
/** What would end the line, or deceive who reads it at a terminal. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** The longest note. */
export const maxNoteChars = 200;

/** The text of a node. A long note is cut. */
export function writeDocument({ layer, version, at, by, note }: Heading, body: string): string {
  const clean = note.replace(unprintable, ' ').trim().slice(0, maxNoteChars);
  const who = by.replace(unprintable, '').replaceAll(' ', '_').slice(0, 200) || 'unknown';
  return `${mark}${layer} version ${version}, ${at}, ${who}${clean === '' ? '' : `: ${clean}`}\n${body}`;
}

/** Any text is a document. */
export function readDocument(text: string): Document {
  const end = text.indexOf('\n');
  const first = (end < 0 ? text : text.slice(0, end)).trimEnd();
  const [, layer, version, at, by, note = ''] = first.length > 2_000 ? [] : (shape.exec(first) ?? []);
  if (layer === undefined || version === undefined || at === undefined || by === undefined) {
    return { heading: undefined, body: text };
  }
  const body = end < 0 ? '' : text.slice(end + 1);
  return { heading: { layer, version: Number(version), at, by, note: note.replace(unprintable, ' ') }, body };
}

/** Eight hexadecimal digits that stand for a body; `-` for none. */
export function digest(body: string | undefined): string {
  return body === undefined ? '-' : createHash('sha256').update(body).digest('hex').slice(0, 8);
}

/** What an edge runs with: the digests of its layers, from the weakest on. */
export const revisionOf = (bodies: readonly (string | undefined)[]) => bodies.map(digest).join('/');

/** What an edge says of a revision that it does not use. */
export const refusal = (revision: string, why: string) => `${revision}: ${why}`;

/** Whether what an edge says is of this revision. */
export const refuses = (error: string, revision: string) => error.startsWith(`${revision}: `);
