// Pure: which errors of a request are an endpoint's failure, for passive health.

import type { WeirError } from '../errors.js';
import type { Failure } from './policy.js';

const failures: Partial<Record<WeirError['code'], Failure>> = {
  upstream_connect: 'connect_error',
  upstream_connect_timeout: 'connect_timeout',
  upstream_first_byte_timeout: 'first_byte_timeout',
  upstream_idle_timeout: 'first_byte_timeout',
  upstream_status: 'bad_status',
  upstream_bad_response: 'bad_response',
  upstream_cut: 'cut',
};

/** How a pick ended with this error before the first byte. A refused address, a full pool or a lost worker is nobody's failure. */
export function failureOf(error: WeirError): Failure | 'abandoned' {
  return failures[error.code] ?? 'abandoned';
}
