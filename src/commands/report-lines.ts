// Reports of an origin on standard input: JSON lines, each with the values that changed.

import { z } from 'zod';
import type { ReportedValues } from '../registrar/registrar.js';
import { statuses } from '../registry/formats/traits.js';

/** undefined: not mentioned, so it stays. null: unknown from now on. */
const report = z.strictObject({
  load: z.number().min(0).max(1).nullish(),
  bitrate: z.number().nonnegative().nullish(),
  packet_loss_rate: z.number().min(0).max(1).nullish(),
  status: z.enum(statuses).nullish(),
});

const expected: Record<string, string> = {
  load: 'a number from 0 to 1, or null for unknown',
  bitrate: 'a number of kbit/s, or null for unknown',
  packet_loss_rate: 'a number from 0 to 1, or null for unknown',
  status: `one of ${statuses.join(', ')}`,
};

const or = <T>(next: T | null | undefined, before: T | undefined): T | undefined =>
  next === undefined ? before : (next ?? undefined);

/** The values with a line applied to them, or what is wrong with the line. */
export function applyReport(line: string, before: ReportedValues): ReportedValues | { readonly error: string } {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return { error: 'not JSON; expected a line such as {"load":0.5}' };
  }
  const parsed = report.safeParse(json);
  if (!parsed.success) {
    const errors = parsed.error.issues.map((issue) => {
      if (issue.code === 'unrecognized_keys') {
        return `unknown ${issue.keys.join(', ')}; expected ${Object.keys(expected).join(', ')}`;
      }
      const field = String(issue.path[0] ?? '');
      return field === '' ? 'expected an object such as {"load":0.5}' : `${field}: expected ${expected[field]}`;
    });
    return { error: errors.join('; ') };
  }
  const { load, bitrate, packet_loss_rate, status } = parsed.data;
  return {
    load: or(load, before.load),
    bitrate: or(bitrate, before.bitrate),
    packetLoss: or(packet_loss_rate, before.packetLoss),
    ...(status === undefined && before.status === undefined ? {} : { status: or(status, before.status) }),
  };
}
