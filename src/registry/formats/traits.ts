// What a registration may say beside its load: each value within bounds, or unknown. A znode's writer is not trusted.

import type { Traits } from '../../model.js';
import { parseServiceAddress } from '../../net-address.js';
import { type TraitField, type TraitName, traitFields, traitNames, traitRules, traitsByField } from '../../traits.js';
import type { JsonObject, NumberField, TextFault, TextField, UnknownValue } from './format.js';
import { asObject, faultOf, own } from './values.js';

export const maxWeight = traitRules.weight.max;
export const maxPriority = traitRules.priority.max;
/** Characters of a text, such as a zone or a version. */
export const maxTextChars = 64;
/** Characters of a path at the endpoint, and of one in the registry. */
export const maxPathChars = 1_024;
/** Entries; characters of a name; characters of a value. */
export const maxProperties = { entries: 16, nameChars: maxTextChars, valueChars: 256 } as const;

/** The statuses that a registration may have. */
export const statuses = ['live', 'draining', 'off'] as const;
export type Status = (typeof statuses)[number];

/** What moves a terminal's cursor or has no UTF-8 form. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/u;

/** Collects what was there and meant nothing. */
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

/** A text of at most so many characters; undefined, and noted in `unknown`, for anything else. */
export function readText(field: TextField, value: unknown, max: number, unknown: Unknowns): string | undefined {
  if (value === undefined) return undefined;
  const fault = textFault(value, max);
  return fault === undefined ? String(value) : unknown.add(field, fault);
}

/** From 0 to `max`; whole where that is asked for. */
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

/** A weight; undefined, and noted in `unknown`, for anything else. */
export function readWeight(value: unknown, unknown: Unknowns): number | undefined {
  return readNumber('weight', value, maxWeight, unknown);
}

/** Numbers and truth values become text; what else is no text is left out, and so is what is too long or too many. */
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

/** A path that may stand behind an address: with a slash first, perhaps with `{channel}` and `{rest}`. */
function readPath(value: unknown, unknown: Unknowns): string | undefined {
  const path = readText('path', value, maxPathChars, unknown);
  if (path === undefined) return undefined;
  const holds = path.startsWith('/') && parseServiceAddress(`http://o${path}`) !== undefined;
  return holds ? path : unknown.add('path', 'malformed');
}

/** ZooKeeper takes no such characters in a path. */
const outsideOfPaths = /[\u{fff0}-\u{10ffff}]/u;

/** An absolute path of a node, without a slash at its end; what is below `/zookeeper` is ZooKeeper's own. */
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

/** What a value has to be, in words for whoever gave another one. */
export const expectedTraits = {
  status: `one of ${statuses.join(', ')}`,
  ...(Object.fromEntries(traitNames.map((name) => [traitRules[name].field, expectedOf(traitRules[name])])) as Readonly<
    Record<TraitField, string>
  >),
  path: `a path with a slash first, of ${maxPathChars} characters at most`,
} as const;

/** What is wrong with them, in words; empty: nothing. */
export function faultsOfTraits(json: JsonObject): string[] {
  const fields = new Set(readTraits(json).unknown.map(({ field }) => field));
  return Object.entries(expectedTraits).flatMap(([field, expected]) =>
    fields.has(field as keyof typeof expectedTraits) ? `${field}: expected ${expected}` : [],
  );
}

/** Those of a record, such as an endpoint that was written to a file, that hold. */
export function checkedTraits(saved: JsonObject): Traits {
  const status = saved['draining'] === true ? 'draining' : undefined;
  return readTraits({ status, ...traitsByField(saved) }).traits;
}

/** Only what is there: an absent trait has no key. */
export function traitsOf(traits: { readonly [Name in keyof Traits]: Traits[Name] | undefined }): Traits {
  return Object.fromEntries(Object.entries(traits).filter(([, value]) => value !== undefined));
}

/** All that `readTraits` reads. */
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
