// The kinds of settings: each takes a default and a description, says its unit and bounds, and checks what a user wrote.

import { z } from 'zod';
import { parseListenAddress } from '../net-address.js';

const units = {
  duration: { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 },
  size: { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 },
} as const;

const patterns = { duration: /^\d+(\.\d+)?(ms|s|m|h)$/, size: /^\d+(B|KiB|MiB|GiB)$/ } as const;
const examples = { duration: ['ms', 's', 'm'], size: ['B', 'KiB', 'MiB'] } as const;

function parse(kind: keyof typeof units, text: string): number {
  const unit = text.replace(/^[\d.]+/, '');
  return Number.parseFloat(text) * ((units[kind] as Readonly<Record<string, number>>)[unit] ?? 1);
}

/** `from` and `to` are themselves allowed. A number without a unit is refused, except 0: 5 may be meant as 5s or as 5ms. */
function measure(kind: keyof typeof units, fallback: string, from: string, to: string, description: string) {
  const [least, most] = [parse(kind, from), parse(kind, to)];
  const expected = `expected a ${kind} from ${from} to ${to}`;
  const error = ({ input }: { readonly input?: unknown }) =>
    typeof input === 'number' && input > 0
      ? `expected a ${kind} with its unit, such as ${examples[kind].map((unit) => input + unit).join(', ')}`
      : expected;
  const text = z.string({ error }).regex(patterns[kind], { error });
  return z
    .union(least === 0 ? [z.literal(0), text] : [text], { error })
    .transform((value) => (value === 0 ? 0 : parse(kind, value)))
    .refine((value) => value >= least && value <= most, expected)
    .prefault(fallback)
    .meta({ description, kind, from, to });
}

/**
 * A duration: a number with ms, s, m or h. The parsed value is in milliseconds.
 *
 * A timer of Node takes at most 2^31 ms, 24.8 days: a longer one would end at once. Some waits are a little longer than
 * the setting, so none may be longer than 20 days (480h).
 */
export const duration = (fallback: string, minimum: string, maximum: string, description: string) =>
  measure('duration', fallback, minimum, maximum, description);

/** A size: a number with B, KiB, MiB or GiB. The parsed value is in bytes. */
export const size = (fallback: string, minimum: string, maximum: string, description: string) =>
  measure('size', fallback, minimum, maximum, description);

/** A port alone is refused: it would listen on all addresses, which is seldom meant for the admin listener. */
function listenProblem(value: unknown): string {
  const expected = 'expected ADDRESS:PORT, :PORT or [IPv6]:PORT';
  return /^\d+$/.test(String(value)) ? `${expected}, such as 127.0.0.1:${value}` : expected;
}

/** An address to listen on, with its port. */
export const listenAddress = (fallback: string, description: string) =>
  z
    .string({ error: ({ input }) => listenProblem(input) })
    .refine((value) => parseListenAddress(value) !== undefined, { error: ({ input }) => listenProblem(input) })
    .prefault(fallback)
    .describe(description);

/** A whole number between two bounds, which are themselves allowed. */
export const integer = (fallback: number, minimum: number, maximum: number, description: string) =>
  z.int().min(minimum).max(maximum).prefault(fallback).describe(description);

/** A number from 0 to 1. */
export const fraction = (fallback: number, description: string) =>
  z.number().min(0).max(1).prefault(fallback).describe(description);

/** True or false. */
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
    .meta({ description, examples: [example], local: true });

/**
 * A setting that an edge takes only from its own file, environment and flags, never from the fleet: whoever may write to
 * ZooKeeper must not be able to choose what it lays open. Secrets, files and what takes a new start are so by themselves.
 */
export const local = <T extends z.ZodType>(schema: T): T => schema.meta({ local: true });

/**
 * What a change of a setting takes while the edge runs. On a section it holds for all settings in it without their own.
 * `live`: nothing. `workers`, the default: new workers. `restart`: a new start of weir.
 */
export function reload<T extends z.ZodType>(how: 'live' | 'restart', schema: T): T {
  return schema.meta({ reload: how });
}
