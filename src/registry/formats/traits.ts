// Reads traits from registrations: each value is within bounds, or unknown. Whoever writes a znode is not trusted.

import type { Traits } from '../../model.js';
import { parseServiceAddress } from '../../net-address.js';
import { type TraitField, type TraitName, traitFields, traitNames, traitRules, traitsByField } from '../../traits.js';
import type { JsonObject, NumberField, TextFault, TextField, UnknownValue } from './format.js';
import { asObject, faultOf, own } from './values.js';

export const maxWeight = traitRules.weight.max;
export const maxPriority = traitRules.priority.max;
/** Of a text, such as a zone or a version. */
export const maxTextChars = 64;
/** Of a path at the endpoint, and of a path in the registry. */
export const maxPathChars = 1_024;
export const maxProperties = { entries: 16, nameChars: maxTextChars, valueChars: 256 } as const;

/** The statuses that a registration may have. */
export const statuses = ['live', 'draining', 'off'] as const;
export type Status = (typeof statuses)[number];

/** Characters that move a terminal's cursor, or have no UTF-8 form. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/u;

/** Collects values that are present but invalid. */
export class Unknowns {
  readonly all: UnknownValue[] = [];

  add(field: UnknownValue['field'], reason: UnknownValue['reason']): undefined {
    if (!this.all.some((value) => value.field === field && value.reason === reason)) this.all.push({ field, reason });
    return undefined;
  }
}

function textFault(value: unknown, max: number): TextFault | undefined {
  if (typeof value !== 'string') return 'not_a_text';
  if (value.length > max) return 'too_long';
  return value === '' || unprintable.test(value) ? 'malformed' : undefined;
}

/** Reads a text of at most `max` characters. Anything else is undefined, and noted in `unknown`. */
export function readText(field: TextField, value: unknown, max: number, unknown: Unknowns): string | undefined {
  if (value === undefined) return undefined;
  const fault = textFault(value, max);
  return fault === undefined ? String(value) : unknown.add(field, fault);
}

/** Reads a number from 0 to `max`; with `whole` only a whole number. */
function readNumber(
  field: NumberField,
  value: unknown,
  max: number,
  unknown: Unknowns,
  whole = false,
): number | undefined {
  if (value === undefined) return undefined;
  const fault = faultOf(value, max) ?? (whole && !Number.isInteger(value) ? 'not_whole' : undefined);
  return fault === undefined ? Number(value) + 0 : unknown.add(field, fault);
}

/** Reads a weight. Anything else is undefined, and noted in `unknown`. */
export function readWeight(value: unknown, unknown: Unknowns): number | undefined {
  return readNumber('weight', value, maxWeight, unknown);
}

/** Reads texts. Numbers and booleans become text; other values, too long ones and too many are left out. */
export function readProperties(value: unknown, unknown: Unknowns): Readonly<Record<string, string>> | undefined {
  if (value === undefined) return undefined;
  const json = asObject(value);
  if (json === undefined) return unknown.add('properties', 'not_a_text');
  const entries: [string, string][] = [];
  for (const name of Object.keys(json)) {
    const said = own(json, name);
    if (said === undefined) continue;
    if (entries.length === maxProperties.entries) {
      unknown.add('properties', 'too_many');
      break;
    }
    const text = typeof said === 'number' || typeof said === 'boolean' ? String(said) : said;
    const isBad = name === '__proto__' || textFault(name, maxProperties.nameChars) !== undefined;
    const fault = isBad ? 'malformed' : text === '' ? undefined : textFault(text, maxProperties.valueChars);
    if (fault === undefined) entries.push([name, String(text)]);
    else unknown.add('properties', fault);
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function readStatus(value: unknown, unknown: Unknowns): Status | undefined {
  const text = readText('status', value, maxTextChars, unknown);
  if (text === undefined) return undefined;
  return statuses.find((status) => status === text) ?? unknown.add('status', 'not_known');
}

/** Reads a path for an address: it starts with a slash, and may have `{channel}` and `{rest}`. */
function readPath(value: unknown, unknown: Unknowns): string | undefined {
  const path = readText('path', value, maxPathChars, unknown);
  if (path === undefined) return undefined;
  const holds = path.startsWith('/') && parseServiceAddress(`http://o${path}`) !== undefined;
  return holds ? path : unknown.add('path', 'malformed');
}

/** Characters that ZooKeeper does not allow in a path. */
const outsideOfPaths = /[\u{fff0}-\u{10ffff}]/u;

/** Reads an absolute path of a node, without a slash at its end and not below `/zookeeper`, which is ZooKeeper's own. */
function readReport(value: unknown, unknown: Unknowns): string | undefined {
  const path = readText('report', value, maxPathChars, unknown);
  if (path === undefined) return undefined;
  const parts = path.split('/');
  const isPath =
    parts.length > 1 && parts.every((part, i) => (part === '') === (i === 0) && part !== '.' && part !== '..');
  return isPath && parts[1] !== 'zookeeper' && !outsideOfPaths.test(path) ? path : unknown.add('report', 'malformed');
}

export interface Said {
  readonly traits: Traits;
  readonly eligible: boolean;
  readonly path: string | undefined;
  readonly report: string | undefined;
  readonly unknown: readonly UnknownValue[];
}

type Rule = (typeof traitRules)[TraitName];

function expectedOf(rule: Rule): string {
  switch (rule.kind) {
    case 'number':
      return `a number from 0 to ${rule.max}`;
    case 'whole':
      return `a whole number from 0 to ${rule.max}`;
    case 'text':
    case 'text_or_number':
      return `a text of 1 to ${maxTextChars} characters`;
    case 'texts':
      return `an object of at most ${maxProperties.entries} texts of ${maxProperties.valueChars} characters`;
  }
}

/** What a value must be, for error messages. */
export const expectedTraits = {
  status: `one of ${statuses.join(', ')}`,
  ...(Object.fromEntries(traitNames.map((name) => [traitRules[name].field, expectedOf(traitRules[name])])) as Readonly<
    Record<TraitField, string>
  >),
  path: `a path with a slash first, of ${maxPathChars} characters at most`,
} as const;

/** The faults of traits as sentences; empty: none. */
export function faultsOfTraits(json: JsonObject): string[] {
  const fields = new Set(readTraits(json).unknown.map(({ field }) => field));
  return Object.entries(expectedTraits).flatMap(([field, expected]) =>
    fields.has(field as keyof typeof expectedTraits) ? `${field}: expected ${expected}` : [],
  );
}

/** The valid traits of a record, such as an endpoint that was written to a file. */
export function checkedTraits(saved: JsonObject): Traits {
  const status = saved['draining'] === true ? 'draining' : undefined;
  return readTraits({ status, ...traitsByField(saved) }).traits;
}

/** Without keys for absent traits. */
export function traitsOf(traits: { readonly [Name in keyof Traits]: Traits[Name] | undefined }): Traits {
  return Object.fromEntries(Object.entries(traits).filter(([, value]) => value !== undefined));
}

/** The result of `readTraits`. */
export const saidFields: readonly string[] = ['status', ...traitFields, 'path', 'report'];

function readTrait(rule: Rule, value: unknown, unknown: Unknowns): Traits[TraitName] {
  switch (rule.kind) {
    case 'number':
      return readNumber(rule.field, value, rule.max, unknown);
    case 'whole':
      return readNumber(rule.field, value, rule.max, unknown, true);
    case 'text':
      return readText(rule.field, value, maxTextChars, unknown);
    case 'text_or_number':
      return readText(rule.field, typeof value === 'number' ? String(value) : value, maxTextChars, unknown);
    case 'texts':
      return readProperties(value, unknown);
  }
}

/** Reads `status`, every trait, `path` and `report`. */
export function readTraits(json: JsonObject): Said {
  const unknown = new Unknowns();
  const status = readStatus(own(json, 'status'), unknown);
  const traits: Partial<Record<keyof Traits, unknown>> = status === 'draining' ? { draining: true } : {};
  for (const name of traitNames) {
    const rule = traitRules[name];
    const value = readTrait(rule, own(json, rule.field), unknown);
    if (value !== undefined) traits[name] = value;
  }
  const path = readPath(own(json, 'path'), unknown);
  const report = readReport(own(json, 'report'), unknown);
  return { traits: traits as Traits, eligible: status !== 'off', path, report, unknown: unknown.all };
}
