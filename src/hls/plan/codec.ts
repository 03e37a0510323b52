// A plan as text, for where edges keep it. What is read there comes from outside: it is checked, and bounded.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { maxLists, maxPeriods, maxStretches, type Plan, type Stretch } from './plan.js';

/** Characters of a plan, all of one byte: what a node of the fleet has room for is more. */
export const maxPlanChars = 72 * 1024;

/** Room for as many additions as any plan sees: what players are shown stays an exact number. */
const count = z
  .int()
  .min(0)
  .max(2 ** 52);
const time = z.number().min(0).max(8.64e15);
const tag = z.string().regex(/^[\w-]{8}$/);

const period = z.object({
  number: count,
  source: tag,
  incarnation: z.string().regex(/^[a-z0-9]{0,12}$/),
  base: z
    .int()
    .min(-(2 ** 52))
    .max(2 ** 52),
  shared: z.boolean(),
  by: z.string().max(255),
  at: time,
});

/** In a row, since a plan may have five hundred of them. */
const stretch = z
  .tuple([
    count,
    count,
    count,
    count,
    z.boolean(),
    z.enum(['open', 'guess', 'firm']),
    z.number().min(-8.64e15).max(8.64e15).nullable(),
    z.number().min(0).max(1e7),
    time,
    z.number().min(0).max(1e5),
  ])
  .transform(
    ([number, from, first, discontinuity, tagged, state, clockMs, behindSeconds, at, segmentSeconds]): Stretch => {
      const measured = { clockMs: clockMs ?? undefined, behindSeconds, at, segmentSeconds };
      return { period: number, from, first, discontinuity, tagged, state, ...measured };
    },
  );

function rowOf(one: Stretch): readonly unknown[] {
  const { period: number, from, first, discontinuity, tagged, state, clockMs, at } = one;
  const measured = [clockMs ?? null, rounded(one.behindSeconds), at, rounded(one.segmentSeconds)];
  return [number, from, first, discontinuity, tagged, state, ...measured];
}

/** To milliseconds. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

const schema = z.object({
  version: z.literal(1),
  usedAt: time,
  periods: z.array(period).min(1).max(maxPeriods),
  lists: z
    .record(z.string().regex(/^[\w-]{12}$/), z.array(stretch).min(1).max(maxStretches))
    .refine((lists) => Object.keys(lists).length <= maxLists),
});

/** The name of a playlist in a plan: players and origins choose paths of any length. */
export function listName(name: {
  readonly suffix: string;
  readonly pin: string;
  readonly originQuery: string;
}): string {
  const text = JSON.stringify([name.suffix, name.pin, name.originQuery]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 12);
}

/** The plan as text, which every edge can read. */
export function writePlan({ periods, lists, usedAt }: Plan): string {
  const rows = [...lists].map(([name, stretches]) => [name, stretches.map(rowOf)] as const);
  return JSON.stringify({ version: 1, usedAt, periods, lists: Object.fromEntries(rows) });
}

/** undefined: this is no plan that this edge can follow. */
export function readPlan(text: string): Plan | undefined {
  if (text.length > maxPlanChars) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const read = schema.safeParse(json);
  if (!read.success) return undefined;
  const { periods, lists, usedAt } = read.data;
  const known = Object.entries(lists);
  const inOrder = periods.every(({ number }, index) => index === 0 || number > (periods[index - 1]?.number ?? 0));
  const increasing = known.every(([, stretches]) =>
    stretches.every((one, index) => {
      const before = stretches[index - 1];
      if (before === undefined) return true;
      if (one.period === before.period && (one.from <= before.from || one.first <= before.first)) return false;
      // Nobody may have listed anything of the one before.
      return one.period >= before.period && one.first >= before.first && one.discontinuity >= before.discontinuity;
    }),
  );
  return inOrder && increasing ? { periods, lists: new Map(known), usedAt } : undefined;
}
