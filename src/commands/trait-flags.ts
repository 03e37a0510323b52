// The flags for traits and status, for every command that writes a registration.

import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  expectedTraits,
  faultsOfTraits,
  maxPriority,
  maxWeight,
  type Status,
  statuses,
} from '../registry/formats/traits.js';
import { number } from './options.js';

export interface TraitFlags {
  readonly status?: Status;
  readonly weight?: number;
  readonly zone?: string;
  readonly priority?: number;
  readonly path?: string;
}

export const traitFlagNames = ['status', 'weight', 'zone', 'priority', 'path'] as const;

/** The given flags, under their names in ChannelInfo. */
export function flaggedTraits(flags: TraitFlags): TraitFlags {
  return Object.fromEntries(traitFlagNames.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]])));
}

/** Reads a text that must be valid for this field of ChannelInfo. */
const textOf = (field: 'zone' | 'path') => (text: string) => {
  if (faultsOfTraits({ [field]: text }).length === 0) return text;
  throw new InvalidArgumentError(`Expected ${expectedTraits[field]}.`);
};

const wholeNumber = (max: number) => (text: string) => {
  const value = number(0, max)(text);
  if (Number.isInteger(value)) return value;
  throw new InvalidArgumentError(`Expected a whole number from 0 to ${max}.`);
};

/** `--status`, `--weight`, `--zone`, `--priority` and `--path`. */
export function addTraitFlags(command: Command): Command {
  const status = new Option('--status <status>', 'draining: whoever it serves leaves; off: it serves nobody');
  return command
    .addOption(status.choices(statuses))
    .option('--weight <number>', 'share of the picks in relation to the others (default: 1)', number(0, maxWeight))
    .option('--zone <name>', 'where it stands', textOf('zone'))
    .option('--priority <number>', 'those of the lowest are used (default: 0)', wholeNumber(maxPriority))
    .option('--path <path>', 'at the address, perhaps with {channel} and {rest}', textOf('path'));
}
