// The kinds of settings: each takes a default and a description, says its unit and bounds, and checks what a user wrote.

import { z } from 'zod';
import { parseListenAddress } from '../net-address.js';

const durationUnits = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const sizeUnits = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** A duration: a number of milliseconds, or a number with ms, s, m or h. The parsed value is in milliseconds. */
export function duration(fallback: string, description: string) {
  return z
    .union(
      [
        z.number().nonnegative(),
        z.string().regex(/^\d+(\.\d+)?(ms|s|m|h)$/, 'expected a duration such as 500ms, 10s or 5m'),
      ],
      {
        error: 'expected a duration such as 500ms, 10s or 5m',
      },
    )
    .transform((value) => {
      if (typeof value === 'number') return value;
      const unit = value.replace(/^[\d.]+/, '') as keyof typeof durationUnits;
      return Number.parseFloat(value) * durationUnits[unit];
    })
    .prefault(fallback)
    .meta({ description, kind: 'duration' });
}

/** A size: a number of bytes, or a number with B, KiB, MiB or GiB. The parsed value is in bytes. */
export function size(fallback: string, description: string) {
  return z
    .union([z.int().nonnegative(), z.string().regex(/^\d+(B|KiB|MiB|GiB)$/, 'expected a size such as 64KiB or 4MiB')], {
      error: 'expected a size such as 64KiB or 4MiB',
    })
    .transform((value) => {
      if (typeof value === 'number') return value;
      const unit = value.replace(/^\d+/, '') as keyof typeof sizeUnits;
      return Number.parseInt(value, 10) * sizeUnits[unit];
    })
    .prefault(fallback)
    .meta({ description, kind: 'size' });
}

export const listenAddress = (fallback: string, description: string) =>
  z
    .string()
    .refine((value) => parseListenAddress(value) !== undefined, 'expected ADDRESS:PORT, :PORT or [IPv6]:PORT')
    .prefault(fallback)
    .describe(description);

export const integer = (fallback: number, minimum: number, maximum: number, description: string) =>
  z.int().min(minimum).max(maximum).prefault(fallback).describe(description);

export const fraction = (fallback: number, description: string) =>
  z.number().min(0).max(1).prefault(fallback).describe(description);

export const flag = (fallback: boolean, description: string) => z.boolean().prefault(fallback).describe(description);

/** A value that never appears in a log, in `weir config` or in an argument list. */
export const secret = (description: string, example: string, shape = /./) =>
  z
    .string()
    .regex(shape, `expected ${example}`)
    .optional()
    .meta({ description, secret: true, examples: [example] });

/** A path. With the name of a secret and `File` at its end, the file's content becomes the value of that secret. */
export const file = (description: string, example: string) =>
  z
    .string()
    .min(1)
    .optional()
    .meta({ description, examples: [example] });

/**
 * What a change of a setting takes while the edge runs; of a section: of all settings in it that say nothing of their
 * own. `live`: nothing. `workers` (where nothing is said): new workers. `restart`: a new start of weir.
 */
export function reload<T extends z.ZodType>(how: 'live' | 'restart', schema: T): T {
  return schema.meta({ reload: how });
}
