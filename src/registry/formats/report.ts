// A report node: load, bitrate and packet loss of all endpoints that name it, as JSON with ChannelInfo's names.

import { readData } from './decode.js';
import type { Decoded } from './format.js';
import { readValues } from './values.js';

/** Encodes a report with the load as weir writes it; null is unknown. */
export function encodeReport(load: number | undefined): string {
  return JSON.stringify({ load: load ?? null });
}

/** `defaults` with its values; `nothing` without data; `skipped` for data that are not a JSON object. Never throws. */
export function decodeReport(data: Uint8Array): Extract<Decoded, { kind: 'defaults' | 'nothing' | 'skipped' }> {
  const said = readData(data);
  if (typeof said === 'string') return { kind: 'skipped', reason: said };
  if (said.text === '') return { kind: 'nothing' };
  if (said.json === undefined) return { kind: 'skipped', reason: 'unknown_format' };
  return { kind: 'defaults', values: readValues(said.json), traits: {}, eligible: true, path: undefined };
}
