// One table: what can go wrong, which HTTP status says so, whose fault it is, and whether another endpoint may do better.

/** Whose fault: decides what is counted as an endpoint's failure and what is only answered. */
export type ErrorSide = 'client' | 'upstream' | 'registry' | 'internal';

interface ErrorKind {
  readonly status: number;
  readonly side: ErrorSide;
  /** True: the same request may succeed on another endpoint. */
  readonly retryable: boolean;
  readonly message: string;
}

const table = {
  bad_request: { status: 400, side: 'client', retryable: false, message: 'The request is malformed.' },
  forbidden: { status: 403, side: 'client', retryable: false, message: 'The origin refuses this request.' },
  unknown_channel: { status: 404, side: 'client', retryable: false, message: 'No such channel is registered.' },
  not_found: { status: 404, side: 'client', retryable: false, message: 'Nothing is served under this path.' },
  method_not_allowed: {
    status: 405,
    side: 'client',
    retryable: false,
    message: 'Only GET, HEAD and OPTIONS are served.',
  },
  request_timeout: { status: 408, side: 'client', retryable: false, message: 'The request did not arrive in time.' },
  uri_too_long: { status: 414, side: 'client', retryable: false, message: 'The request target is too long.' },
  headers_too_large: { status: 431, side: 'client', retryable: false, message: 'The request header is too large.' },
  loop_detected: {
    status: 508,
    side: 'client',
    retryable: false,
    message: 'The request came through this edge before.',
  },
  client_gone: { status: 499, side: 'client', retryable: false, message: 'The player left.' },

  no_endpoint: {
    status: 503,
    side: 'registry',
    retryable: false,
    message: 'The channel has no eligible endpoint now.',
  },
  not_ready: { status: 503, side: 'registry', retryable: false, message: 'The registry was not read yet.' },
  address_refused: {
    status: 502,
    side: 'registry',
    retryable: true,
    message: 'The endpoint registered an address outside upstream.allow.',
  },

  upstream_connect: { status: 502, side: 'upstream', retryable: true, message: 'The endpoint refused the connection.' },
  upstream_connect_timeout: { status: 504, side: 'upstream', retryable: true, message: 'Connecting took too long.' },
  upstream_first_byte_timeout: { status: 504, side: 'upstream', retryable: true, message: 'No first byte in time.' },
  upstream_idle_timeout: { status: 504, side: 'upstream', retryable: false, message: 'The endpoint fell silent.' },
  upstream_cut: { status: 502, side: 'upstream', retryable: true, message: 'The endpoint cut the response.' },
  upstream_bad_response: {
    status: 502,
    side: 'upstream',
    retryable: true,
    message: 'The endpoint does not speak HTTP.',
  },
  upstream_busy: {
    status: 503,
    side: 'upstream',
    retryable: true,
    message: 'All connections to the endpoint are taken.',
  },
  upstream_status: {
    status: 502,
    side: 'upstream',
    retryable: true,
    message: 'The endpoint answered a gateway error.',
  },

  relay_full: {
    status: 503,
    side: 'internal',
    retryable: false,
    message: 'This stream has no room for another viewer.',
  },
  worker_lost: {
    status: 503,
    side: 'internal',
    retryable: true,
    message: 'The process that has this channel is gone; another one takes over.',
  },
  not_owner: { status: 421, side: 'internal', retryable: true, message: 'Another process has this channel now.' },
  draining: { status: 503, side: 'internal', retryable: false, message: 'This edge is shutting down.' },
  internal: { status: 500, side: 'internal', retryable: false, message: 'An error inside weir.' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof table;

/** Statuses of an endpoint that say that it failed, whatever the request was: another one is worth asking. */
export const gatewayErrors: ReadonlySet<number> = new Set([502, 503, 504]);

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
  get retryable(): boolean {
    return table[this.code].retryable;
  }
}

/** Wraps whatever was thrown; a WeirError stays itself. */
export function toWeirError(error: unknown): WeirError {
  return error instanceof WeirError ? error : new WeirError('internal', { cause: error });
}
