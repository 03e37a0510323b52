// Pure: the answer to a player for an error. Also as bytes, for a connection on which node:http does not answer any more.

import { STATUS_CODES } from 'node:http';
import type { WeirError } from '../errors.js';

export type AnswerFields = Record<string, string | string[] | number>;

/**
 * A short JSON body with the code and the request id, and the fields that go with it; never more than what is safe to show.
 *
 * @param requestId undefined: it never became a request
 */
export function errorAnswer(error: WeirError, requestId: string | undefined): { fields: AnswerFields; body: string } {
  const body = JSON.stringify({ error: error.code, message: error.message, request_id: requestId });
  const fields: Record<string, string | number> = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  };
  if (requestId !== undefined) fields['x-request-id'] = requestId;
  if (error.status === 503) fields['retry-after'] = 1;
  if (error.status === 405) fields['allow'] = 'GET, HEAD, OPTIONS';
  return { fields, body };
}

/** The header of an answer, its last empty line included. */
export function headBytes(status: number, fields: AnswerFields): Buffer {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`];
  for (const [name, value] of Object.entries(fields)) {
    for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${one}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** An error as the last answer on its connection. */
export function errorBytes(error: WeirError, requestId?: string): Buffer {
  const { fields, body } = errorAnswer(error, requestId);
  return Buffer.concat([headBytes(error.status, { ...fields, connection: 'close' }), Buffer.from(body)]);
}
