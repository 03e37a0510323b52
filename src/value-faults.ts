// What may be wrong with the values of a registration, by field. A metric has both as labels, so both are bounded.

import { type TraitField, type TraitKind, traitNames, traitRules } from './traits.js';

const numbers = ['not_a_number', 'negative', 'too_large'] as const;
const texts = ['not_a_text', 'too_long', 'malformed'] as const;

const faultsOfKinds = {
  number: numbers,
  whole: [...numbers, 'not_whole'],
  text: texts,
  text_or_number: texts,
  texts: [...texts, 'too_many'],
} as const satisfies Record<TraitKind, readonly string[]>;

/** Of the fields that are no traits. */
const faults = {
  load: [...numbers, 'above_one'],
  bitrate: [...numbers, 'above_one'],
  packet_loss_rate: [...numbers, 'above_one'],
  status: [...texts, 'not_known'],
  path: texts,
  report: texts,
  endpoints: ['malformed', 'too_many'],
} as const;

export type ValueField = keyof typeof faults | TraitField;
export type ValueFault = (typeof faults)[keyof typeof faults][number] | (typeof faultsOfKinds)[TraitKind][number];

export const faultsByField: readonly (readonly [field: ValueField, reasons: readonly ValueFault[]])[] = [
  ...(Object.entries(faults) as [ValueField, readonly ValueFault[]][]),
  ...traitNames.map((name) => [traitRules[name].field, faultsOfKinds[traitRules[name].kind]] as const),
];
