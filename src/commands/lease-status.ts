// Sets the status of a lease in an embedded registry, over the admin API of its edge.

import { OperatorError } from '../errors.js';

/** Paths of leases start with it, as those of znodes do by default. */
export const leaseRoot = '/channels';

const deadlineMs = 10_000;

/**
 * @param url of the edge's admin listener
 * @param path `/channels/CHANNEL/NAME`
 * @throws OperatorError in words
 */
export async function writeLeaseStatus(
  url: string,
  token: string | undefined,
  path: string,
  status: 'draining' | 'live',
): Promise<void> {
  const [channel = '', name = '', ...more] = path.slice(leaseRoot.length + 1).split('/');
  if (!path.startsWith(`${leaseRoot}/`) || channel === '' || name === '' || more.length > 0) {
    throw new OperatorError(`a lease is named ${leaseRoot}/CHANNEL/NAME`);
  }
  const target = `${url}/api/v1/channels/${encodeURIComponent(channel)}/endpoints/${encodeURIComponent(name)}/status`;
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  let answer: Response;
  try {
    answer = await fetch(target, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...authorization },
      body: JSON.stringify({ status }),
      signal: AbortSignal.timeout(deadlineMs),
    });
  } catch (error) {
    const { cause, message } = error as Error;
    throw new OperatorError(`no answer from the edge at ${url}: ${cause instanceof Error ? cause.message : message}`);
  }
  const text = await answer.text();
  if (!answer.ok) throw new OperatorError(`the edge at ${url} answered ${answer.status}: ${messageOf(text)}`);
}

function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // The answer is not that of an edge.
  }
  return text.slice(0, 200);
}
