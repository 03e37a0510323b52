// One table of all errors: the HTTP status of each, and on which side it arose. Whose fault it is, and whether another endpoint
// is asked, says `upstream/judge.ts`.

/** On which side an error arose. */
export type ErrorSide = 'client' | 'upstream' | 'registry' | 'internal';

interface ErrorKind {
  readonly status: number;
  readonly side: ErrorSide;
  readonly message: string;
}

const table = {
  bad_request: { status: 400, side: 'client', message: 'The request is malformed.' },
  forbidden: { status: 403, side: 'client', message: 'The origin refuses this request.' },
  not_admitted: {
    status: 403,
    side: 'client',
    message: 'This may not be played: from here, or without a valid signature.',
  },
  unknown_channel: { status: 404, side: 'client', message: 'No such channel is registered.' },
  not_found: { status: 404, side: 'client', message: 'Nothing is served under this path.' },
  method_not_allowed: {
    status: 405,
    side: 'client',
    message: 'Only GET, HEAD and OPTIONS are served.',
  },
  request_timeout: { status: 408, side: 'client', message: 'The request did not arrive in time.' },
  uri_too_long: { status: 414, side: 'client', message: 'The request target is too long.' },
  headers_too_large: { status: 431, side: 'client', message: 'The request header is too large.' },
  loop_detected: {
    status: 508,
    side: 'client',
    message: 'The request came through this edge before.',
  },
  client_gone: { status: 499, side: 'client', message: 'The player left.' },

  no_endpoint: {
    status: 503,
    side: 'registry',
    message: 'The channel has no eligible endpoint now.',
  },
  not_ready: { status: 503, side: 'registry', message: 'The registry was not read yet.' },
  address_refused: {
    status: 502,
    side: 'registry',
    message: 'The endpoint registered an address outside upstream.allow.',
  },

  upstream_connect: { status: 502, side: 'upstream', message: 'The endpoint does not accept the connection.' },
  upstream_unresolved: { status: 502, side: 'upstream', message: "The endpoint's name does not resolve." },
  upstream_connect_timeout: { status: 504, side: 'upstream', message: 'Connecting took too long.' },
  upstream_first_byte_timeout: { status: 504, side: 'upstream', message: 'No first byte in time.' },
  upstream_idle_timeout: { status: 504, side: 'upstream', message: 'The endpoint fell silent.' },
  upstream_cut: { status: 502, side: 'upstream', message: 'The endpoint cut the response.' },
  upstream_bad_response: {
    status: 502,
    side: 'upstream',
    message: 'The endpoint does not speak HTTP.',
  },
  upstream_busy: {
    status: 503,
    side: 'upstream',
    message: 'All connections to the endpoint are taken.',
  },
  upstream_redirect: {
    status: 502,
    side: 'upstream',
    message: 'The endpoint redirects to where weir does not follow.',
  },
  upstream_status: {
    status: 502,
    side: 'upstream',
    message: 'The endpoint answered a gateway error.',
  },

  relay_full: {
    status: 503,
    side: 'internal',
    message: 'This stream has no room for another viewer.',
  },
  sessions_full: {
    status: 503,
    side: 'internal',
    message: 'There is no room for another HLS session.',
  },
  worker_lost: {
    status: 503,
    side: 'internal',
    message: 'The process that has this channel is gone; another one takes over.',
  },
  not_owner: { status: 421, side: 'internal', message: 'Another process has this channel now.' },
  draining: { status: 503, side: 'internal', message: 'This edge is shutting down.' },
  exhausted: {
    status: 503,
    side: 'internal',
    message: 'This edge has no file descriptor or memory left.',
  },
  internal: { status: 500, side: 'internal', message: 'An error inside weir.' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof table;

/** How an endpoint can fail; what passive health counts, and `weir_ejections_total` is labelled with. */
export const failures = [
  'connect_error',
  'connect_timeout',
  'first_byte_timeout',
  'bad_status',
  'bad_response',
  'cut',
  'stall',
] as const;
export type Failure = (typeof failures)[number];

/**
 * How a pick ended. `success`: the endpoint did its part. `abandoned`: the player left, or we stopped; the endpoint is not
 * judged. `interrupted`: cut after the first byte, which is no gateway failure.
 */
export type Outcome = 'success' | 'abandoned' | 'interrupted' | Failure;

/** An error with a code of the table. `cause` carries what was thrown below; `detail` is safe to show to a client. */
export class WeirError extends Error {
  override readonly name = 'WeirError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, options: { detail?: string; cause?: unknown } = {}) {
    super(options.detail ?? table[code].message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }

  get status(): number {
    return table[this.code].status;
  }
  get side(): ErrorSide {
    return table[this.code].side;
  }
}

/** An error that only the operator can mend. The message says what it is and what to do; it is shown without a stack. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  /** Of the command that it ends. */
  readonly exitCode: number = 1;
}

/** Wraps any thrown value; a WeirError stays itself. */
export function toWeirError(error: unknown): WeirError {
  return error instanceof WeirError ? error : new WeirError('internal', { cause: error });
}
