import type { Logger } from 'pino';
import type { RouterSettings } from './settings.ts';

export type OpenRouterOptions = {
  /** The peer's data directory; its `key` must be there. */
  readonly dir: string;
  readonly host: string;
  /** 0: any free port, kept for as long as this agent lives. */
  readonly port: number;
  /** The same for a second listener, for https alone; null: none. */
  readonly httpsPort: number | null;
  readonly proxyHost: string;
  readonly proxyPort: number;
  readonly log: Logger;
  /** For tests, which cannot wait for Heroku's times. Heeded only by a process that this call starts. */
  readonly settings?: Partial<RouterSettings>;
};
