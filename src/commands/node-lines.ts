// Pure: nodes of ZooKeeper and changes of them, as lines for people and as JSON for programs.

import type { Conflict, NodeState } from '../registry/node-writes.js';
import { safe } from './endpoint-lines.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Undefined when the data are no UTF-8. */
export function textOf(data: Uint8Array): string | undefined {
  try {
    return utf8.decode(data);
  } catch {
    return undefined;
  }
}

/** The lines of the data, without characters that move a terminal's cursor. */
function dataLines(data: Uint8Array): string[] {
  const text = textOf(data);
  if (text === undefined) return [`(${data.byteLength} bytes that are no UTF-8)`];
  if (text === '') return ['(no data)'];
  return text
    .replace(/\r?\n$/, '')
    .split('\n')
    .map((line) => safe(line.replaceAll('\t', '  ')));
}

const marked = (mark: string, data: Uint8Array | undefined) =>
  data === undefined ? [] : dataLines(data).map((line) => `${mark} ${line}`);

/** What a write removes and what it adds; without a change both are equal. */
export function differenceLines(path: string, before: NodeState | undefined, after: Uint8Array): string[] {
  const was = before === undefined ? 'new' : `version ${before.stat.version}`;
  return [`${safe(path)}  ${was}`, ...marked('-', before?.data), ...marked('+', after)];
}

/** Both values of a conflict: the present one, and the one to be written. */
export function conflictLines({ path, current }: Conflict, wanted: Uint8Array | undefined): string[] {
  const there = current === undefined ? 'not there' : `version ${current.stat.version}`;
  return [`${safe(path)}  ${there}`, ...marked('theirs:', current?.data), ...marked('yours: ', wanted)];
}

const dataJson = (data: Uint8Array) => {
  const text = textOf(data);
  return text === undefined ? { base64: Buffer.from(data).toString('base64') } : { data: text };
};

/** A node as one JSON object; null: there is none. */
export function nodeJson(node: NodeState | undefined) {
  if (node === undefined) return null;
  const { version, ephemeral, ctime, mtime } = node.stat;
  const times = { made: new Date(ctime).toISOString(), changed: new Date(mtime).toISOString() };
  return { path: node.path, ...dataJson(node.data), version, ephemeral, ...times };
}

/** A conflict as one JSON object. */
export function conflictJson({ path, expected, current }: Conflict, wanted: Uint8Array | undefined) {
  return { path, conflict: true, expected, current: nodeJson(current), wanted: wanted && dataJson(wanted) };
}

/** A completed write as one JSON object. `version`: after it; null where the node was deleted. */
export function writtenJson(
  path: string,
  before: NodeState | undefined,
  after: Uint8Array | undefined,
  version: number | null,
) {
  return { path, before: nodeJson(before), ...(after === undefined ? {} : dataJson(after)), version };
}

/** What `weir channel get` prints for people: the node and the names below it. */
export function nodeLines({ path, data, stat }: NodeState, below: readonly string[]): string[] {
  const kind = stat.ephemeral ? 'ephemeral' : 'persistent';
  const changed = new Date(stat.mtime).toISOString();
  const names = below.length === 0 ? [] : [`${below.length} below it:`, ...below.map((name) => `  ${safe(name)}`)];
  return [`${safe(path)}  version ${stat.version}, ${kind}, changed ${changed}`, ...dataLines(data), ...names];
}
