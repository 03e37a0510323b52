// Decodes nodes with the formats in their order: the first that accepts a node wins.

import { isUtf8 } from 'node:buffer';
import { type AllowedFormats, type FormatName, formatNames } from '../../config-schema/format-names.js';
import { apisix } from './apisix.js';
import { channelInfo } from './channel-info.js';
import { curator } from './curator.js';
import { dubbo } from './dubbo.js';
import type { Decoded, Format, JsonObject, ReadNode, RegisteredNode, SkipReason } from './format.js';
import { metadata } from './metadata.js';
import { nameOnly } from './name-only.js';
import { nerve } from './nerve.js';
import { plain } from './plain.js';
import { serverset } from './serverset.js';
import { springCloud } from './spring-cloud.js';
import { asObject } from './values.js';

const formats: Readonly<Record<FormatName, Format>> = {
  weir: channelInfo,
  'spring-cloud': springCloud,
  curator,
  serverset,
  nerve,
  metadata,
  apisix,
  plain,
  dubbo,
  name: nameOnly,
};

/** An address and three numbers take a hundred. */
export const maxDataBytes = 64 * 1024;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How a node was read. */
export interface Reading {
  readonly decoded: Decoded;
  /** The format that accepted it, even if it is skipped; undefined: none did. */
  readonly format: FormatName | undefined;
}

const skipped = (reason: SkipReason): Reading => {
  return { decoded: { kind: 'skipped', reason }, format: undefined };
};

/** The data of a node as text and JSON, or why they cannot be read. Never throws. */
export function readData(data: Uint8Array): Omit<ReadNode, 'name' | 'level'> | SkipReason {
  if (data.byteLength > maxDataBytes) return 'too_large';
  // Much faster than a TextDecoder, on hundreds of thousands of nodes. A byte order mark counts as white space.
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (!isUtf8(bytes)) return 'not_utf8';
  const text = bytes.toString().trim();
  const parsed = text.startsWith('{') || text.startsWith('[') ? parseJson(text) : undefined;
  const json: JsonObject | undefined = asObject(parsed);
  if (text.startsWith('{') && json === undefined) return 'bad_json';
  return { text, json, list: Array.isArray(parsed) ? (parsed as unknown[]) : undefined };
}

/** Decodes one node, and says by which format. Never throws. */
export function read({ name, level, data }: RegisteredNode, allowed: AllowedFormats = 'auto'): Reading {
  const said = readData(data);
  if (typeof said === 'string') return skipped(said);
  const { text, json, list } = said;
  const node: ReadNode = { name, level, text, json, list };
  for (const format of formatNames) {
    if (allowed !== 'auto' && !allowed.includes(format)) continue;
    const decoded = formats[format](node);
    if (decoded !== undefined) return { decoded, format };
  }
  if (level === 'channel' && text === '') return { decoded: { kind: 'nothing' }, format: undefined };
  return skipped(text === '' ? 'no_address' : 'unknown_format');
}

/** Decodes one node. Never throws: a node that no allowed format accepts is `skipped` with a reason. */
export function decode(node: RegisteredNode, allowed: AllowedFormats = 'auto'): Decoded {
  return read(node, allowed).decoded;
}
