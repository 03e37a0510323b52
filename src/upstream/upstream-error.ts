// Pure: what Node and undici throw at a connection or a request, as an error of the table.

import { type ErrorCode, WeirError } from '../errors.js';

/** The endpoint's machine, or the way to it, says no. */
const connectErrors = new Set([
  'ECONNREFUSED',
  // A Unix socket whose process is gone.
  'ENOENT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'EACCES',
]);
/** What this machine has run out of: nobody else's failure. EADDRNOTAVAIL: no local port is left for this destination. */
const shortages = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EAI_MEMORY']);
const resolverErrors = new Set(['ENOTFOUND', 'ENODATA', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME']);

interface Thrown {
  readonly code?: string;
  readonly name?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/** A WeirError stays itself, also as the cause of another error. */
export function toUpstreamError(error: unknown): WeirError {
  if (error instanceof WeirError) return error;
  const { code, name, cause, errors } = error as Thrown;
  if (name === 'AggregateError' && errors !== undefined && errors.length > 0) return firstOfServer(errors);
  if (cause instanceof WeirError) return cause;
  const known = codeOf(code, name);
  return new WeirError(known, { ...detailOf(known, code), cause: error });
}

/** Several addresses of one name were tried. What one of them said counts more than that another has no way from here. */
function firstOfServer(errors: readonly unknown[]): WeirError {
  const all = errors.map(toUpstreamError);
  return all.find(({ code }) => code !== 'exhausted') ?? all[0] ?? new WeirError('upstream_connect');
}

function codeOf(code: string | undefined, name: string | undefined): ErrorCode {
  if (name === 'HTTPParserError') return 'upstream_bad_response';
  if (code === undefined) return 'upstream_cut';
  if (connectErrors.has(code)) return 'upstream_connect';
  if (shortages.has(code)) return 'exhausted';
  if (resolverErrors.has(code)) return 'upstream_unresolved';
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') return 'upstream_connect_timeout';
  if (code === 'UND_ERR_BODY_TIMEOUT') return 'upstream_idle_timeout';
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') return 'upstream_bad_response';
  if (code === 'UND_ERR_INVALID_ARG') return 'bad_request';
  return 'upstream_cut';
}

/** The system's own word for it goes along, into logs as into answers. */
function detailOf(known: ErrorCode, code: string | undefined): { detail?: string } {
  if (known === 'upstream_connect') return { detail: `The endpoint does not accept the connection (${code}).` };
  if (known === 'upstream_unresolved') return { detail: `The endpoint's name does not resolve (${code}).` };
  if (known === 'exhausted') return { detail: `This edge has no file descriptor, port or memory left (${code}).` };
  return {};
}
