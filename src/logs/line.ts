import type { AppId, PeerId } from '../ids.ts';

/** One log line of an app. `source[process]` is `app[web.1]`, `heroku[router]`, `app[api]`… */
export type LogLine = {
  readonly app: AppId;
  /** Wall microseconds since the epoch where the line was made; a safe integer. */
  readonly timeUs: number;
  readonly source: 'app' | 'heroku';
  readonly process: string;
  /** Without line end; at most 10,000 bytes, longer ones are split. */
  readonly text: string;
  /** The peer it was made on, and its place in that peer's lines of the app: a gap is seen and counted. */
  readonly peer: PeerId;
  readonly seq: number;
};

export type LogFilter = {
  readonly source?: 'app' | 'heroku' | undefined;
  /** `web.1`, or `web` for all of the type. */ readonly process?: string | undefined;
};
