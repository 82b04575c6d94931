/**
 * Every error a person or a client can meet, listed once: HTTP status and Heroku's error `id`. Codes are promises,
 * messages may improve.
 */
export const ERROR_CODES = {
  bad_request: { status: 400, id: 'bad_request' },
  unauthorized: { status: 401, id: 'unauthorized' },
  forbidden: { status: 403, id: 'forbidden' },
  not_found: { status: 404, id: 'not_found' },
  not_acceptable: { status: 406, id: 'not_acceptable' },
  conflict: { status: 409, id: 'conflict' },
  gone: { status: 410, id: 'gone' },
  precondition_failed: { status: 412, id: 'precondition_failed' },
  too_large: { status: 413, id: 'too_large' },
  range_not_satisfiable: { status: 416, id: 'requested_range_not_satisfiable' },
  multiple_matches: { status: 422, id: 'multiple_matches' },
  confirmation_required: { status: 423, id: 'confirmation_required' },
  invalid_params: { status: 422, id: 'invalid_params' },
  rate_limit: { status: 429, id: 'rate_limit' },
  no_capacity: { status: 503, id: 'no_capacity' },
  disk_full: { status: 507, id: 'disk_full' },
  build_failed: { status: 422, id: 'build_failed' },
  bad_op: { status: 400, id: 'bad_op' },
  bad_invite: { status: 403, id: 'bad_invite' },
  unavailable: { status: 503, id: 'unavailable' },
  timeout: { status: 504, id: 'timeout' },
  internal: { status: 500, id: 'internal_server_error' },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error as it travels between peers and to clients: no stack, no secret. */
export type ErrorRecord = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  /** Heroku's `resource` on 404s: `app`, `release`, `domain`… */
  readonly resource?: string;
};

export type PlatformErrorOptions = { hint?: string; resource?: string; cause?: unknown };

/** What a caller may handle. The message says what could not be done, names the thing in quotes, then what was found. */
export class PlatformError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly resource: string | undefined;

  constructor(code: ErrorCode, message: string, options: PlatformErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PlatformError';
    this.code = code;
    this.hint = options.hint;
    this.resource = options.resource;
  }

  get status(): number {
    return ERROR_CODES[this.code].status;
  }

  toRecord(): ErrorRecord {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.resource === undefined ? {} : { resource: this.resource }),
    };
  }

  static fromRecord(record: ErrorRecord): PlatformError {
    return new PlatformError(record.code, record.message, {
      ...(record.hint === undefined ? {} : { hint: record.hint }),
      ...(record.resource === undefined ? {} : { resource: record.resource }),
    });
  }
}
