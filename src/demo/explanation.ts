// What the demo reads of the admin API's explanation of a channel.

import { request } from 'undici';
import { z } from 'zod';

const explanation = z.object({
  picked: z.string().optional(),
  why: z.string().optional(),
  endpoints: z.array(
    z.object({
      id: z.string(),
      service_address: z.string(),
      load: z.number().optional(),
      packet_loss_rate: z.number().optional(),
      terms: z.object({ score: z.number() }),
      eligible: z.boolean(),
    }),
  ),
});
export type ExplanationReply = z.output<typeof explanation>;

const deadlineMs = 2_000;

/** Undefined for a channel that has no endpoint. Rejects when the admin listener is not in reach. */
export async function readExplanation(adminAddress: string, channel: string): Promise<ExplanationReply | undefined> {
  const { statusCode, body } = await request(
    `http://${adminAddress}/api/v1/channels/${encodeURIComponent(channel)}/explain`,
    { signal: AbortSignal.timeout(deadlineMs) },
  );
  const json = await body.json();
  return statusCode === 200 ? explanation.parse(json) : undefined;
}
