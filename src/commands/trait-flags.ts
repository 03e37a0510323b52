// The flags for traits and status, for every command that writes a registration.

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Traits } from '../model.js';
import { expectedTraits, faultsOfTraits, type Status, statuses } from '../registry/formats/traits.js';
import { type TraitField, type TraitName, type TraitRule, traitRules } from '../traits.js';
import { number } from './options.js';

/** The traits that have a flag. */
const described = {
  weight: { value: 'number', help: 'share of the picks in relation to the others (default: 1)' },
  zone: { value: 'name', help: 'where it stands' },
  priority: { value: 'number', help: 'those of the lowest are used (default: 0)' },
} as const satisfies { readonly [Name in TraitName]?: { readonly value: string; readonly help: string } };

export type OwnTraitFlags = Pick<Traits, keyof typeof described>;

export interface TraitFlags extends OwnTraitFlags {
  readonly status?: Status;
  readonly path?: string;
}

const ownNames = Object.keys(described) as readonly (keyof OwnTraitFlags)[];

export const traitFlagNames: readonly (keyof TraitFlags)[] = ['status', ...ownNames, 'path'];

/** The given flags, under their names in ChannelInfo. */
export function flaggedTraits(flags: TraitFlags): TraitFlags {
  return Object.fromEntries(traitFlagNames.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]])));
}

/** Reads a value that must be valid for this field of ChannelInfo. */
function checkedValue(field: TraitField | 'path', max: number | undefined, text: string): string | number {
  const value = max === undefined ? text : number(0, max)(text);
  if (faultsOfTraits({ [field]: value }).length === 0) return value;
  throw new InvalidArgumentError(`Expected ${expectedTraits[field]}.`);
}

/** The flags of the traits alone. */
export function addOwnTraitFlags(command: Command): Command {
  for (const name of ownNames) {
    const { field, max }: TraitRule = traitRules[name];
    const { value, help } = described[name];
    command.option(`--${name} <${value}>`, help, (text) => checkedValue(field as TraitField, max, text));
  }
  return command;
}

/** `--status`, the flags of the traits, and `--path`. */
export function addTraitFlags(command: Command): Command {
  const status = new Option('--status <status>', 'draining: whoever it serves leaves; off: it serves nobody');
  return addOwnTraitFlags(command.addOption(status.choices(statuses))).option(
    '--path <path>',
    'at the address, perhaps with {channel} and {rest}',
    (text) => checkedValue('path', undefined, text),
  );
}
