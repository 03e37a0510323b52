// The table of the traits: what a registration may say of an endpoint beside its address, its values and its status. Formats,
// files, JSON, metrics and listings follow it.

import type { Traits } from './model.js';

/** `whole`: a whole number. `text_or_number`: a number counts as its digits. `texts`: an object of them. */
export type TraitKind = 'number' | 'whole' | 'text' | 'text_or_number' | 'texts';

export interface TraitRule {
  /** Its name in ChannelInfo, and in what weir prints. */
  readonly field: string;
  readonly kind: TraitKind;
  /** The largest number. */
  readonly max?: number;
}

export const traitRules = {
  /** Sums over all endpoints of a channel stay exact, and what is only mistyped does not take all. */
  weight: { field: 'weight', kind: 'number', max: 10_000 },
  zone: { field: 'zone', kind: 'text' },
  /** Nobody gets before those who name no priority. */
  priority: { field: 'priority', kind: 'whole', max: 1_000 },
  release: { field: 'version', kind: 'text_or_number' },
  properties: { field: 'properties', kind: 'texts' },
} as const satisfies Readonly<Record<Exclude<keyof Traits, 'draining'>, TraitRule>>;

export type TraitName = keyof typeof traitRules;

/** The names in ChannelInfo of the traits of these kinds. */
export type TraitField<Kind extends TraitKind = TraitKind> = Extract<
  (typeof traitRules)[TraitName],
  { readonly kind: Kind }
>['field'];

export const traitNames = Object.keys(traitRules) as readonly TraitName[];

/** Under their names in ChannelInfo. */
export const traitFields: readonly TraitField[] = traitNames.map((name) => traitRules[name].field);

/** The traits alone, under their own names; undefined is what was not said. */
export function traitsIn<T extends { readonly [Name in TraitName]?: unknown }>(
  said: T,
): { readonly [Name in TraitName]: T[Name] } {
  // The API shows many thousand endpoints in one answer: a list of entries for each would take longer than all else.
  const traits: { [Name in TraitName]?: T[Name] } = {};
  for (const name of traitNames) traits[name] = said[name];
  return traits as { readonly [Name in TraitName]: T[Name] };
}

/** The traits alone, under their names in ChannelInfo; undefined is what was not said. */
export function traitsByField(said: { readonly [Name in TraitName]?: unknown }): Record<TraitField, unknown> {
  const fields: Partial<Record<TraitField, unknown>> = {};
  for (const name of traitNames) fields[traitRules[name].field] = said[name];
  return fields as Record<TraitField, unknown>;
}
