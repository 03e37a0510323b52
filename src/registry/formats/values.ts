// Reads load, bitrate and packet loss from JSON. Unknown is not zero: a broken origin that reports -1 must not win.

import type { JsonObject, NumberFault, UnknownValue, Values } from './format.js';

/** The values of a registration without any. */
export const noValues: Values = { load: undefined, bitrate: undefined, packetLoss: undefined, unknown: [] };

/** A terabit per second. Sums over all endpoints must stay finite. */
export const maxBitrateKbps = 1e9;

/** Why a value is invalid; undefined when it is a number from 0 to `max`. */
export function faultOf(value: unknown, max: number): NumberFault | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return 'not_a_number';
  if (value < 0) return 'negative';
  if (value <= max) return undefined;
  return max === 1 ? 'above_one' : 'too_large';
}

/** An own value, never an inherited one. Missing and null are the same. */
export function own(json: JsonObject, field: string): unknown {
  return Object.hasOwn(json, field) ? (json[field] ?? undefined) : undefined;
}

/** The value as a JSON object; undefined for anything else. */
export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

/** Reads `load`, `bitrate` and `packet_loss_rate`; a missing or null one is unknown without being a fault. */
export function readValues(json: JsonObject): Values {
  const unknown: UnknownValue[] = [];
  const read = (field: 'load' | 'bitrate' | 'packet_loss_rate', max: number): number | undefined => {
    const value = own(json, field);
    if (value === undefined) return undefined;
    const reason = faultOf(value, max);
    if (reason === undefined) return Number(value) + 0;
    unknown.push({ field, reason });
    return undefined;
  };
  const load = read('load', 1);
  const bitrate = read('bitrate', maxBitrateKbps);
  const packetLoss = read('packet_loss_rate', 1);
  return { load, bitrate, packetLoss, unknown };
}
