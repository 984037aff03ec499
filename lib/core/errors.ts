/** Reasons for which the router itself responds: a code for programs, and its status. */
const STATUS = {
  'no-host': 400,
  'bad-host': 400,
  'bad-request': 400,
  'no-frontend': 400,
  'not-found': 404,
  'method-refused': 405,
  'request-timeout': 408,
  'precondition-failed': 412,
  'body-too-large': 413,
  'uri-too-long': 414,
  'range-unsatisfiable': 416,
  'expectation-failed': 417,
  misdirected: 421,
  'rate-limited': 429,
  'head-too-large': 431,
  internal: 500,
  'coding-unknown': 501,
  'method-unknown': 501,
  'no-backend': 502,
  'route-broken': 502,
  'backend-failed': 502,
  'backend-crowded': 503,
  'store-unavailable': 503,
  maintenance: 503,
  overloaded: 503,
  'unknown-hosts': 503,
  paused: 503,
  'site-busy': 503,
  'backend-silent': 504,
  'version-unknown': 505,
} as const;

export type ErrorCode = keyof typeof STATUS;

export interface RouterErrorOptions extends ErrorOptions {
  /** Additional response fields, names and values in turn. */
  readonly fields?: readonly string[];
}

/** A response by the router itself. `message` is for operators: the log and `x-debug-error`. */
export class RouterError extends Error {
  override readonly name = 'RouterError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly fields: readonly string[];

  constructor(code: ErrorCode, message: string, options?: RouterErrorOptions) {
    super(message, options);
    this.code = code;
    this.fields = options?.fields ?? [];
    this.status = STATUS[code];
  }
}

/*
 * What clients get as often as they like: those that make up hosts, or send too much. Made once: recording the stack of an error takes a
 * tenth of the time of such a request.
 */
export const NO_FRONTEND = new RouterError('no-frontend', 'frontend not found');
export const TOO_MANY_UNKNOWN = new RouterError('unknown-hosts', 'too many requests for hosts without a frontend');
export const RATE_LIMITED = new RouterError('rate-limited', 'the rate limit of the site');
export const OVERLOADED = new RouterError('overloaded', 'this worker is overloaded, and the site uses the most');

/** Whether the store did not reply, in contrast to an invalid reply. */
export function isStoreSilent(error: unknown): boolean {
  return error instanceof RouterError && error.code === 'store-unavailable';
}

/** Converts anything thrown to a RouterError: another error is a bug in the router, hence 500. */
export function asRouterError(thrown: unknown): RouterError {
  return thrown instanceof RouterError ? thrown : new RouterError('internal', 'internal error', { cause: thrown });
}
