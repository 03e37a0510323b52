// What the leader of a site publishes of its health checks, and how much it still counts. Pure. Anybody may have written it.

import { z } from 'zod';
import { type Failure, failures } from '../../errors.js';
import type { ServerOrigin } from '../../model.js';

/** Servers that are named as failing. */
export const maxFailing = 500;
/** Intervals after which a record counts for nothing. */
const lastingIntervals = 3;
/** Of the servers that were checked. When more fail, the cause is more likely where the leader stands. */
const believableShare = 0.5;

const schema = z.strictObject({
  v: z.literal(1),
  /** The leader's fencing token. */
  token: z.string().regex(/^\d{1,20}$/),
  /** Epoch ms at the end of the round. */
  at: z.int().min(0),
  intervalMs: z.int().min(1_000).max(3_600_000),
  failing: z.array(z.tuple([z.string().max(300), z.enum(failures)])).max(maxFailing),
});

/** One round of checks of one leader. */
export type HealthRecord = z.output<typeof schema>;

/** Undefined: it is none. */
export function parseRecord(text: string): HealthRecord | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** The failing of a round, as they may be published. @param checked servers of which something is known */
export function believable(
  failing: readonly (readonly [ServerOrigin, Failure])[],
  checked: number,
): [string, Failure][] {
  if (failing.length > checked * believableShare) return [];
  return failing.slice(0, maxFailing).map(([server, failure]) => [server, failure]);
}

/** A share of a failure, 0 to 1, that counts for a server; below 0: it is taken back. */
export type ProbeFinding = readonly [server: ServerOrigin, cause: Failure, weight: number];

/** What a record that was just read says, after the one before it. @param now epoch ms */
export function findingsOf(record: HealthRecord, before: HealthRecord | undefined, now: number): ProbeFinding[] {
  const weight = 1 - Math.max(0, now - record.at) / (lastingIntervals * record.intervalMs);
  if (weight <= 0) return [];
  const failing = new Set(record.failing.map(([server]) => server));
  const recovered = before?.failing.filter(([server]) => !failing.has(server)) ?? [];
  return [
    ...record.failing.map(([server, cause]): ProbeFinding => [server as ServerOrigin, cause, weight]),
    ...recovered.map(([server, cause]): ProbeFinding => [server as ServerOrigin, cause, -weight]),
  ];
}
