export type CliErrorOptions = { hint?: string | undefined; exit?: number; cause?: unknown };

/** What a user is told, and the status that the process ends with. */
export class CliError extends Error {
  readonly hint: string | undefined;
  readonly exit: number;

  constructor(message: string, options: CliErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CliError';
    this.hint = options.hint;
    this.exit = options.exit ?? 1;
  }
}

/** The command line makes no sense. */
export class UsageError extends CliError {
  constructor(message: string, hint?: string) {
    super(message, { hint, exit: 2 });
  }
}

/** The peer said no. Status 2, as Heroku's CLI has it. */
export class ApiError extends CliError {
  readonly status: number;
  readonly id: string;

  constructor(status: number, id: string, message: string, hint: string | undefined) {
    super(message, { hint, exit: 2 });
    this.status = status;
    this.id = id;
  }
}
