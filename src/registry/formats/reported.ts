// Reads values and traits from other formats than weir's: the same fields, somewhere in their JSON.

import { withPath } from '../../net-address.js';
import { traitNames, traitRules } from '../../traits.js';
import type { Decoded, JsonObject, RegisteredEndpoint } from './format.js';
import { withOwnStatus } from './status-words.js';
import { readProperties, readTraits, type Said, saidFields, traitsOf, Unknowns } from './traits.js';
import { own, readValues } from './values.js';

type Address = RegisteredEndpoint['address'];

const fields: readonly string[] = ['load', 'bitrate', 'packet_loss_rate', ...saidFields];
const numbers = new Set([
  ...(['load', 'bitrate', 'packet_loss_rate'] as readonly string[]),
  ...traitNames.flatMap((name) => {
    const { field, kind } = traitRules[name];
    return kind === 'number' || kind === 'whole' ? [field] : [];
  }),
]);

/** Reads a map of texts, since some libraries allow only texts: numbers that are written as text become numbers. */
export function withNumbers(json: JsonObject): JsonObject {
  const read: Record<string, unknown> = {};
  for (const field of fields) {
    const value = own(json, field);
    const isNumber = numbers.has(field) && typeof value === 'string' && /^\d{1,12}(\.\d{1,12})?$/.test(value);
    if (value !== undefined) read[field] = isNumber ? Number(value) : value;
  }
  return read;
}

/** The entries of such a map that are not fields of weir. */
export function freeProperties(json: JsonObject, others: readonly string[] = []): JsonObject {
  const taken = new Set([...fields, ...others]);
  // In the order of the text, so that the first ones count if there are too many. Only own properties; `__proto__` like any other.
  return Object.fromEntries(Object.entries(json).filter(([name]) => !taken.has(name)));
}

interface More {
  /** False: its format says that it serves nobody now. */
  readonly eligible?: boolean;
  readonly selectors?: readonly string[];
  readonly properties?: JsonObject | undefined;
}

/** An endpoint whose values and traits are in `json` under their names in ChannelInfo, perhaps with another registry's status. */
export function reportedEndpoint(address: Address, json: JsonObject, more: More = {}): Decoded {
  return { kind: 'endpoints', registrations: [registrationOf(address, json, more)] };
}

/**
 * One endpoint, from its address and the fields of its JSON. Invalid fields are unknown, never an error.
 */
export function registrationOf(address: Address, json: JsonObject, more: More = {}): RegisteredEndpoint {
  const said: Said = readTraits(withOwnStatus(json));
  const values = readValues(json);
  const unknown = new Unknowns();
  const free = said.traits.properties === undefined ? readProperties(more.properties, unknown) : undefined;
  return {
    address: said.path === undefined ? address : withPath(address, said.path),
    values: { ...values, unknown: [...values.unknown, ...said.unknown, ...unknown.all] },
    traits: { ...said.traits, ...traitsOf({ properties: free }) },
    eligible: said.eligible && more.eligible !== false,
    ...(said.report === undefined ? {} : { report: said.report }),
    ...(more.selectors === undefined ? {} : { selectors: more.selectors }),
  };
}
