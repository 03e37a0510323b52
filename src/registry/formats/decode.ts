// The formats in their order: the first that accepts a node wins.

import { channelInfo } from './channel-info.js';
import type { Decoded, Format, ReadNode, RegisteredNode } from './format.js';
import { metadata } from './metadata.js';
import { nameOnly } from './name-only.js';
import { plain } from './plain.js';

const formats: readonly Format[] = [channelInfo, metadata, plain, nameOnly];

/** Bytes; an address and three numbers take a hundred. */
export const largestData = 64 * 1024;

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Decodes what one node registers. Never throws; a node that no format accepts is `skipped` with a reason. */
export function decode({ name, level, data }: RegisteredNode): Decoded {
  if (data.byteLength > largestData) return { kind: 'skipped', reason: 'too_large' };
  let text: string;
  try {
    text = utf8.decode(data).trim();
  } catch {
    return { kind: 'skipped', reason: 'not_utf8' };
  }
  const looksLikeJson = text.startsWith('{');
  const json = looksLikeJson ? parseObject(text) : undefined;
  if (looksLikeJson && json === undefined) return { kind: 'skipped', reason: 'bad_json' };
  const node: ReadNode = { name, level, text, json };
  for (const format of formats) {
    const decoded = format(node);
    if (decoded !== undefined) return decoded;
  }
  if (level === 'channel' && text === '') return { kind: 'nothing' };
  return { kind: 'skipped', reason: text === '' ? 'no_address' : 'unknown_format' };
}
