// Pure: compares two reports of an endpoint.

import type { Endpoint } from '../model.js';
import { traitNames, traitRules } from '../traits.js';

type Texts = Readonly<Record<string, string>>;

const isTexts = (name: (typeof traitNames)[number]) => traitRules[name].kind === 'texts';
const values = ['address', 'load', 'bitrate', 'packetLoss', 'draining'] as const;
/** Fields that are compared by `===`. */
const fields = [...values, ...traitNames.filter((name) => !isTexts(name))];
const objects = traitNames.filter(isTexts);

function sameTexts(one: Texts = {}, other: Texts = {}): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

/** Whether both report the same address, values and traits. */
export function sameValues(a: Endpoint, b: Endpoint): boolean {
  // After an outage all endpoints are compared.
  for (const field of fields) if (a[field] !== b[field]) return false;
  for (const name of objects) if (a[name] !== b[name] && !sameTexts(a[name] as Texts, b[name] as Texts)) return false;
  return true;
}
