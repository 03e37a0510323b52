// Pure: reads values from foreign JSON, which may be anything. A missing value or one of another type is undefined.

import { BadAnswer } from './stream.js';

export type Fields = Readonly<Record<string, unknown>>;

/** @throws BadAnswer for a text that is not a JSON object */
export function parseFields(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadAnswer('the answer is not JSON');
  }
  const fields = fieldsOf(value);
  if (fields === undefined) throw new BadAnswer('the answer is no JSON object');
  return fields;
}

/** The value as an object; undefined for anything else, lists included. */
export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** An own member, never one of the prototype. */
export function own(fields: Fields | undefined, name: string): unknown {
  return fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** A text; undefined for anything else. */
export function textOf(fields: Fields | undefined, name: string): string | undefined {
  const value = own(fields, name);
  return typeof value === 'string' ? value : undefined;
}

/** A name or an id, which some servers send as a number. */
export function nameOf(fields: Fields | undefined, name: string): string | undefined {
  const value = own(fields, name);
  return typeof value === 'number' ? String(value) : typeof value === 'string' && value !== '' ? value : undefined;
}

/** A finite number that is not negative, also as decimal text. */
export function amountOf(fields: Fields | undefined, name: string): number | undefined {
  const value = own(fields, name);
  const amount = typeof value === 'string' && /^\d{1,15}(\.\d{1,9})?$/.test(value) ? Number(value) : value;
  return typeof amount === 'number' && Number.isFinite(amount) && amount >= 0 ? amount : undefined;
}

/** The objects of a list; undefined where there is no list. */
export function listOf(fields: Fields | undefined, name: string): readonly Fields[] | undefined {
  const value = own(fields, name);
  if (!Array.isArray(value)) return undefined;
  return value.map(fieldsOf).filter((each) => each !== undefined);
}

/** @throws BadAnswer where there is no list */
export function requiredList(fields: Fields | undefined, name: string): readonly Fields[] {
  const list = listOf(fields, name);
  if (list === undefined) throw new BadAnswer(`the answer has no list ${name}`);
  return list;
}

/** A percentage as a fraction 0..1; undefined stays undefined. */
export function fractionOf(percent: number | undefined): number | undefined {
  return percent === undefined ? undefined : Math.min(1, percent / 100);
}
